# Completion of zstack-cli for bash. Put it where bash-completion looks, or add to ~/.bashrc:
#     source <(zstack-cli completions bash)

_zstack_cli() {
    local line=${COMP_LINE:0:COMP_POINT}
    # What stands behind the program's name is what the program completes.
    line=${line#"${line%%[![:space:]]*}"}
    line=${line#*[[:space:]]}

    local words=() word kind rest api=0 uuids=0
    while IFS=$'\t' read -r word kind rest; do
        [[ $kind == api ]] && api=1
        case $kind in
        operator) [[ $word == *null ]] && word+=' ' ;;
        *) [[ $word == *[=.,/] ]] || word+=' ' ;;
        esac
        # What a uuid is called travels behind it as far as the list.
        if [[ $kind == value && -n $rest && ${word##*[=,]} =~ ^[0-9a-f]{32}\ ?$ ]]; then
            word+=$'\t'$rest
            ((uuids++))
        fi
        words+=("$word")
    done < <("${COMP_WORDS[0]}" complete -- "$line" 2>/dev/null)

    # Bash replaces only what stands behind the last word break, such as the `=` of `state=Run`; inside quotes
    # it replaces what stands behind the quote.
    local typed=${line##*[[:space:]]} kept
    local breaks=${COMP_WORDBREAKS//[[:space:]]/}
    case $typed in
    *[\'\"]*) kept=${typed%"${typed##*[\'\"]}"} ;;
    *) kept=${typed%"${typed##*["$breaks"]}"} ;;
    esac
    [[ $kept == "$typed" && $typed != *["$breaks"\'\"] ]] && kept=
    local new=${typed#"$kept"}

    # A name found by its humps or by a part of it must not lose what is typed to what several names share.
    local beginning=() others=()
    for word in "${words[@]}"; do
        word=${word#"$kept"}
        # Bash closes an open quote by itself.
        [[ $kept == *[\'\"] && $word == *[\'\"]' ' ]] && word=${word%??}
        if [[ $word == "$new"* ]]; then beginning+=("$word"); else others+=("$word"); fi
    done
    # What begins a single API may be a part of many others that are meant.
    if ((${#beginning[@]} > 1 || (${#beginning[@]} == 1 && (!${#others[@]} || !api)))); then
        COMPREPLY=("${beginning[@]}")
    elif ((${#others[@]} > 1 || ${#beginning[@]})); then
        COMPREPLY=("${beginning[@]}" "${others[@]}" ' ')
    else
        COMPREPLY=("${others[@]}")
    fi

    # Several uuids are listed with what they are called; what is put into the line is the uuid alone.
    local at listed=0
    ((${#COMPREPLY[@]} > 1)) && [[ $COMP_TYPE != 37 && $COMP_TYPE != 42 ]] && listed=1
    for at in "${!COMPREPLY[@]}"; do
        word=${COMPREPLY[at]}
        [[ $word == *$'\t'* ]] || continue
        rest=${word#*$'\t'}
        word=${word%%$'\t'*}
        if ((listed)); then COMPREPLY[at]="${word% }  ($rest)"; else COMPREPLY[at]=$word; fi
    done
    # So many are not all there are: what they begin with says nothing.
    ((uuids >= 200)) && COMPREPLY+=(' ')
    return 0
}

if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
    complete -o nospace -o nosort -F _zstack_cli zstack-cli
else
    complete -o nospace -F _zstack_cli zstack-cli
fi
