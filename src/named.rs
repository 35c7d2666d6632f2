//! Enums whose variants have names that users type, with name and description next to each variant.

/// Defines such an enum. The doc comment of a variant is its description in help and completion.
macro_rules! named {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $choice:ident {
            $(#[doc = $summary:literal] $(#[$more:meta])* $variant:ident = $name:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $choice {
            $(#[doc = $summary] $(#[$more])* $variant,)+
        }

        #[allow(dead_code)]
        impl $choice {
            /// All variants, in the order of the documentation.
            $visibility const ALL: [$choice; [$($name),+].len()] = [$($choice::$variant),+];

            /// Their names, in the same order.
            $visibility const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];

            /// Returns the name that users type.
            $visibility const fn name(self) -> &'static str {
                match self {
                    $($choice::$variant => $name,)+
                }
            }

            /// Returns the description from the doc comment.
            $visibility fn summary(self) -> &'static str {
                match self {
                    $($choice::$variant => $summary,)+
                }
                .trim_start()
            }

            /// Returns the variant of that name.
            $visibility fn from_name(name: &str) -> Option<$choice> {
                $choice::ALL.into_iter().find(|choice| choice.name() == name)
            }
        }
    };
}

pub(crate) use named;

#[cfg(test)]
mod tests {
    named! {
        /// Two ways.
        #[derive(Default)]
        enum Way {
            /// to the left
            #[default]
            Left = "left",
            /// to the right
            FarRight = "far-right",
        }
    }

    #[test]
    fn names_lead_to_the_variants_and_back() {
        assert_eq!((Way::NAMES, Way::default()), (["left", "far-right"], Way::Left));
        assert_eq!(Way::from_name("far-right"), Some(Way::FarRight));
        assert_eq!(Way::from_name("Left"), None);
        assert_eq!(Way::ALL.map(Way::summary), ["to the left", "to the right"]);
    }
}
