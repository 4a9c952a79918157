//! The escaping of text from outcomes on the page.

use maud::Render;

use crate::text::visible;

/// Text from outside. Markup is escaped, invisible characters are made visible, and a line feed becomes a character
/// reference. So no line of the page begins with text from outside; otherwise a page that is printed in a GitHub job
/// could contain workflow commands.
pub(super) struct Text<'t>(pub(super) &'t str);

impl Render for Text<'_> {
    fn render_to(&self, page: &mut String) {
        for c in visible(self.0).chars() {
            match c {
                '&' => page.push_str("&amp;"),
                '<' => page.push_str("&lt;"),
                '>' => page.push_str("&gt;"),
                '"' => page.push_str("&quot;"),
                '\'' => page.push_str("&#39;"),
                '\n' => page.push_str("&#10;"),
                c => page.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, html: &str) {
        assert_eq!(Text(text).render().into_string(), html);
    }

    #[test]
    fn text_is_never_markup() {
        check("</script><b x='\"'>&", "&lt;/script&gt;&lt;b x=&#39;&quot;&#39;&gt;&amp;");
        check("a\n::error::b", "a&#10;::error::b");
        check("\u{202e}a\u{0}", "\\u{202e}a\\u{0}");
    }
}
