"""Long, slow and lossy lines between network namespaces, for kernels without netem: each host sends into a TUN device
of its own, and its packets pass through this process, which loses, delays and queues them as real lines do. A queue
that is full loses what comes, and what stands in it waits: a slow line delays acknowledgements as well."""

import dataclasses
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import threading
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
PACKET_BYTES_MAX = 1500


@dataclasses.dataclass
class Line:
    """One direction of a host's line."""
    loss: float = 0                  # share of packets
    delay: float = 0                 # seconds
    rate: float = 0                  # bytes a second; 0: as fast as they come
    queue: int = 128 * 1024          # bytes that wait for a slow line
    dead: bool = False
    free_at: float = 0
    carried: int = 0                 # bytes

    def arrival(self, now, size, dice):
        """When this packet is at the other end; None: never."""
        if self.dead or dice.random() < self.loss:
            return None
        begin = now
        if self.rate:
            begin = max(now, self.free_at)
            if (begin - now) * self.rate > self.queue:
                return None
            begin = self.free_at = begin + size / self.rate
        self.carried += size
        return begin + self.delay


class End:
    def __init__(self, descriptor):
        self.descriptor, self.up, self.down = descriptor, Line(), Line()

    def set(self, **what):
        for line in (self.up, self.down):
            for name, value in what.items():
                setattr(line, name, value)


class Wire:
    def __init__(self, seed=None):
        self.dice = random.Random(seed)
        self.ends, self.blocked = {}, set()
        self.stopping = False
        self.thread = threading.Thread(target=self.carry, daemon=True)

    def attach(self, host, address):
        """The host's one way to all others."""
        with host.inside():
            descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH", b"line0", IFF_TUN | IFF_NO_PI))
        host.ip("addr", "add", f"{address}/16", "dev", "line0")
        host.ip("link", "set", "line0", "up", "mtu", str(PACKET_BYTES_MAX))
        host.address = address
        self.ends[socket.inet_aton(address)] = end = End(descriptor)
        return end

    def block(self, a, b):
        """These two reach each other through others only."""
        a, b = (socket.inet_aton(host.address) for host in (a, b))
        self.blocked |= {(a, b), (b, a)}

    def start(self):
        self.thread.start()
        return self

    def carry(self):
        poll = select.epoll()
        by_descriptor = {end.descriptor: end for end in self.ends.values()}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.EPOLLIN)
        on_the_way, number = [], 0       # (when, number, line to pass or None, end, packet)
        while not self.stopping:
            wait = on_the_way[0][0] - time.monotonic() if on_the_way else 0.5
            for descriptor, _ in poll.poll(min(0.5, max(0.0, wait))):
                for _ in range(64):
                    try:
                        packet = os.read(descriptor, 2 * PACKET_BYTES_MAX)
                    except BlockingIOError:
                        break
                    target = self.ends.get(packet[16:20])
                    if packet[0] >> 4 != 4 or target is None or (packet[12:16], packet[16:20]) in self.blocked:
                        continue
                    number += 1
                    at = by_descriptor[descriptor].up.arrival(time.monotonic(), len(packet), self.dice)
                    if at is not None:
                        heapq.heappush(on_the_way, (at, number, False, target, packet))
            now = time.monotonic()
            while on_the_way and on_the_way[0][0] <= now:
                at, order, arrived, target, packet = heapq.heappop(on_the_way)
                if not arrived:
                    at = target.down.arrival(at, len(packet), self.dice)
                    if at is not None:
                        heapq.heappush(on_the_way, (at, order, True, target, packet))
                    continue
                try:
                    os.write(target.descriptor, packet)
                except OSError:          # it is full, or it is going down: one more packet that is lost
                    pass
        poll.close()

    def stop(self):
        self.stopping = True
        if self.thread.is_alive():
            self.thread.join()
        for end in self.ends.values():
            os.close(end.descriptor)
