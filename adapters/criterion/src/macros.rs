//! Criterion's macros, which make a `main` that runs the benchmarks.

/// Defines a group of benchmark functions; see [`criterion::criterion_group`].
#[macro_export]
macro_rules! criterion_group {
    (name = $name:ident; config = $config:expr; targets = $( $target:path ),+ $(,)*) => {
        #[doc = "The function which runs the benchmarks."]
        pub fn $name() {
            let mut criterion: $crate::Criterion<_> = $config.configure_from_args();
            $( $target(&mut criterion); )+
        }
    };
    ($name:ident, $( $target:path ),+ $(,)*) => {
        $crate::criterion_group! {
            name = $name;
            config = $crate::Criterion::default();
            targets = $( $target ),+
        }
    };
}

/// Writes the `main` that runs these groups; see [`criterion::criterion_main`].
#[macro_export]
macro_rules! criterion_main {
    ( $( $group:path ),+ $(,)* ) => {
        fn main() {
            $( $group(); )+
            $crate::__private::finish();
            $crate::Criterion::default().configure_from_args().final_summary();
        }
    };
}
