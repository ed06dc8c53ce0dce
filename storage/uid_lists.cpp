#include "storage/uid_lists.hpp"

#include "storage/attempt.hpp"
#include "storage/limits.hpp"
#include "storage/records_codec.hpp"
#include "storage/view.hpp"

#include <algorithm>

namespace pp::storage {

namespace {
// What has come and gone since `list` was true.
result<void> follow(const rows& seen, mailbox_id box, uid_lists::known& list) {
    const auto prefix = view::folder_key(box);
    mail::uid_set gone;
    PP_TRY(seen.each(table::vanish, prefix.view(), view::vanish_key(box, list.modseq + 1).view(),
                     [&](bytes_view, bytes_view plain) -> result<bool> {
                         const auto some = decode_whole<mail::uid_set>(plain);
                         if (!some) return errc::damaged;
                         gone.add(*some);
                         return true;
                     }));
    list.uids.remove(gone);
    return seen.each_key(table::msg, prefix.view(), view::message_key(box, list.uid_next).view(),
                         [&](bytes_view key) -> result<bool> {
                             list.uids.add(key_u32(key, 8));
                             return true;
                         });
}
}  // namespace

result<std::vector<std::uint32_t>> uid_lists::of(const rows& seen, mailbox_id box) {
    PP_LET(const auto folder, view::load_folder(seen, box));
    if (!folder) return std::vector<std::uint32_t>();
    known list;
    {
        const std::lock_guard hold(mutex_);
        const auto found = known_.find(box);
        // A newer list than this reader may see says nothing to it.
        if (found != known_.end() && found->second.modseq <= folder->box.highest_modseq) list = found->second;
    }
    if (list.modseq != folder->box.highest_modseq) {
        PP_TRY(follow(seen, box, list));
        list.modseq = folder->box.highest_modseq;
        list.uid_next = folder->box.uid_next;
    }
    auto out = list.uids.values();
    keep(box, std::move(list));
    return out;
}

void uid_lists::keep(mailbox_id box, known list) {
    const std::lock_guard hold(mutex_);
    list.used = ++uses_;
    auto& place = known_[box];
    if (place.modseq > list.modseq) return;   // somebody has seen more in the meantime
    ranges_ += list.uids.ranges().size() - place.uids.ranges().size();
    place = std::move(list);
    while (known_.size() > uid_lists_max || ranges_ > uid_list_ranges_max) {
        const auto oldest =
            std::min_element(known_.begin(), known_.end(),
                             [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
        ranges_ -= oldest->second.uids.ranges().size();
        known_.erase(oldest);
    }
}

}  // namespace pp::storage
