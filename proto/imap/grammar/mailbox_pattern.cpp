#include "proto/imap/grammar/mailbox_pattern.hpp"

#include <vector>

namespace pp::imap {

mailbox_pattern::mailbox_pattern(std::string_view text) {
    for (const char c : text) {
        const bool after_star = !text_.empty() && text_.back() == '*';
        const bool after_percent = !text_.empty() && text_.back() == '%';
        if ((c == '*' || c == '%') && after_star) continue;
        if (c == '%' && after_percent) continue;
        if (c == '*' && after_percent) text_.pop_back();
        text_ += c;
    }
}

bool mailbox_pattern::matches(std::string_view name) const {
    // reached[i]: the first i characters of the pattern can stand for what has been read of the name.
    std::vector<char> reached(text_.size() + 1, 0), next(text_.size() + 1, 0);
    const auto pass_wildcards = [this](std::vector<char>& at) {
        for (std::size_t i = 0; i < text_.size(); ++i)
            if (at[i] && (text_[i] == '*' || text_[i] == '%')) at[i + 1] = 1;
    };
    reached[0] = 1;
    pass_wildcards(reached);
    for (const char c : name) {
        next.assign(next.size(), 0);
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (!reached[i]) continue;
            if (text_[i] == '*' || (text_[i] == '%' && c != '/'))
                next[i] = 1;
            else if (text_[i] == c)
                next[i + 1] = 1;
        }
        pass_wildcards(next);
        reached.swap(next);
    }
    return reached[text_.size()] != 0;
}

}  // namespace pp::imap
