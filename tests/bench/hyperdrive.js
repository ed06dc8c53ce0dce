// The other side of tests/bench/beside_hypercore.py: an encrypted hyperdrive, written and then replicated over TCP on
// loopback between two processes. One line of JSON for each step on standard output; times in seconds, CPU as user + system
// of the process that says it.
//
//   node hyperdrive.js serve FOLDER FILES BYTES          writes, then serves until standard input ends
//   node hyperdrive.js fetch FOLDER FILES BYTES PORT KEY ENCRYPTION-KEY
'use strict'
const net = require('net')
const crypto = require('crypto')
const Corestore = require('corestore')
const Hyperdrive = require('hyperdrive')

const [what, folder, filesText, bytesText, port, key, encryptionKey] = process.argv.slice(2)
const files = Number(filesText), bytes = Number(bytesText)
const say = (o) => process.stdout.write(JSON.stringify(o) + '\n')
const name = (n) => '/mail/' + String(n).padStart(6, '0')

async function timed (step, work) {
  const cpu = process.cpuUsage(), begun = process.hrtime.bigint()
  await work()
  const used = process.cpuUsage(cpu)
  say({ step, wall: Number(process.hrtime.bigint() - begun) / 1e9, cpu: (used.user + used.system) / 1e6 })
}

async function serve () {
  const secret = crypto.randomBytes(32)
  const store = new Corestore(folder)
  const drive = new Hyperdrive(store, { encryptionKey: secret })
  await drive.ready()
  const content = crypto.randomBytes(bytes)
  await timed('written', async () => {
    for (let n = 0; n < files; ++n) {
      content.writeUInt32BE(n, 0)
      await drive.put(name(n), content)
    }
  })
  await drive.getBlobs()
  const server = net.createServer((socket) => {
    const stream = store.replicate(false)
    socket.on('error', () => {})
    stream.on('error', () => {})
    socket.pipe(stream).pipe(socket)
  })
  server.listen(0, '127.0.0.1', () => say({ step: 'listening', port: server.address().port, key: drive.key.toString('hex'), encryptionKey: secret.toString('hex') }))
  let cpu = null
  process.stdin.on('data', () => {
    if (!cpu) cpu = process.cpuUsage()
    else {
      const used = process.cpuUsage(cpu)
      say({ step: 'served', cpu: (used.user + used.system) / 1e6 })
    }
  })
  process.stdin.on('end', () => process.exit(0))
}

async function fetch () {
  const store = new Corestore(folder)
  const drive = new Hyperdrive(store, Buffer.from(key, 'hex'), { encryptionKey: Buffer.from(encryptionKey, 'hex') })
  await drive.ready()
  const stream = store.replicate(true)
  const socket = net.connect(Number(port), '127.0.0.1')
  socket.on('error', () => {})
  stream.on('error', () => {})
  socket.pipe(stream).pipe(socket)
  while (!drive.core.peers.length) await new Promise((resolve) => setTimeout(resolve, 5))
  await drive.core.update({ wait: true })
  await timed('fetched', async () => {
    const blobs = await drive.getBlobs()
    await drive.core.download({ start: 0, end: drive.core.length }).done()
    await blobs.core.update({ wait: true })
    await blobs.core.download({ start: 0, end: blobs.core.length }).done()
  })
  // It is all there: the last mail is read without asking anybody.
  const last = await drive.get(name(files - 1), { wait: false })
  if (!last || last.length !== bytes || last.readUInt32BE(0) !== files - 1) throw new Error('the last mail is not here')
  process.exit(0)
}

(what === 'serve' ? serve() : fetch()).catch((e) => {
  console.error(e)
  process.exit(1)
})
