//! Text of an outcome on the page.

use maud::Render;

use crate::text::visible;

/// Text from outside: markup is escaped, what cannot be seen is shown, and a line feed is a character
/// reference, so that no line of the page begins with text from outside. (A page that is printed in a job
/// of GitHub's would else have workflow commands in it.)
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
    fn no_text_is_markup() {
        check("</script><b x='\"'>&", "&lt;/script&gt;&lt;b x=&#39;&quot;&#39;&gt;&amp;");
        check("a\n::error::b", "a&#10;::error::b");
        check("\u{202e}a\u{0}", "\\u{202e}a\\u{0}");
    }
}
