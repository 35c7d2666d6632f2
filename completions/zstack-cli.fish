# Completion of zstack-cli for fish. Put it in ~/.config/fish/completions, or run:
#     zstack-cli completions fish | source

function __zstack_cli_complete
    set -l line (commandline --cut-at-cursor --current-process | string collect)
    # What stands behind the program's name is what the program completes.
    set line (string replace --regex '^\s*\S+\s' '' -- "$line" | string collect)
    zstack-cli complete -- "$line" 2>/dev/null | while read --local --delimiter \t word kind description
        # fish puts in the quotes that it needs by itself.
        set word (string unescape -- $word; or echo $word)
        printf '%s\t%s\n' "$word" "$description"
    end
end

complete --command zstack-cli --no-files --keep-order --arguments '(__zstack_cli_complete)'
