using System.Text.RegularExpressions;

namespace Weft.Proxy.Routing.Matching.Expressions;

/// <summary>
/// Reads the part of .NET's expressions that configurations are full of: literals, classes, groups, alternatives, repetitions. Single characters and classes are not understood here: .NET is asked which
/// of the 256 Latin-1 characters they take, so that nothing can be read otherwise. What is beyond this part (anchors within, look-around, references, options) is null, and somebody else's.
/// </summary>
internal sealed class PatternParser
{
    private const int MaxDepth = 100;
    private readonly string _text;
    private readonly bool _ignoreCase;
    private readonly Dictionary<string, ByteSet> _sets = [];
    private int _at, _depth;
    private bool _beyond;

    private PatternParser(string text, bool ignoreCase) => (_text, _ignoreCase) = (text, ignoreCase);

    /// <param name="pattern">One that .NET takes.</param>
    public static PatternNode? Parse(string pattern, bool ignoreCase)
    {
        var parser = new PatternParser(pattern, ignoreCase);
        var node = parser.Choice();
        return parser._beyond || parser._at < pattern.Length ? null : node;
    }

    private bool Ended => _beyond || _at >= _text.Length;

    private ChoiceNode Choice()
    {
        var parts = new List<PatternNode>();
        _beyond |= ++_depth > MaxDepth;
        do
        {
            parts.Add(Sequence());
        }
        while (!Ended && Takes('|'));
        _depth--;
        return new ChoiceNode(parts);
    }

    private SequenceNode Sequence()
    {
        var parts = new List<PatternNode>();
        while (!Ended && _text[_at] is not ('|' or ')'))
        {
            // Where a whole text is asked about, the first and the last place are what these say (and `$` before a last line feed is none, as the text must end there).
            if ((_text[_at] == '^' && _at == 0 && !IsQuantifier(1)) || (_text[_at] == '$' && _at == _text.Length - 1 && _depth == 1))
                _at++;
            else if (Atom() is { } atom)
                parts.Add(Quantified(atom));
        }

        return new SequenceNode(parts);
    }

    private PatternNode? Atom()
    {
        switch (_text[_at])
        {
            case '(':
                return Group();
            case '[':
                return Set(ClassEnd());
            case '\\':
                return Set(EscapeEnd());
            case '^' or '$':
                _beyond = true;
                return null;
            default:
                return Set(_at + 1);
        }
    }

    private ChoiceNode? Group()
    {
        _at++;
        if (Takes('?') && !Takes(':') && !Named())
        {
            _beyond = true;
            return null;
        }

        var inner = Choice();
        _beyond |= !Takes(')');
        return inner;
    }

    // `<name>`, but not `<=` and `<!`, which look behind.
    private bool Named()
    {
        if (_at + 1 >= _text.Length || _text[_at] != '<' || !char.IsAsciiLetter(_text[_at + 1]) || _text.IndexOf('>', _at) is not (var end and > 0))
            return false;
        if (_text.AsSpan(_at + 1, end - _at - 1).ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"))
            return false;
        _at = end + 1;
        return true;
    }

    private PatternNode Quantified(PatternNode atom)
    {
        if (Ended)
            return atom;
        var (least, most, length) = Quantifier(_at);
        if (length == 0)
            return atom;
        _at += length;
        // A lazy one takes the same texts.
        Takes('?');
        return new RepeatNode(atom, least, most);
    }

    private bool IsQuantifier(int at) => at < _text.Length && Quantifier(at).Length > 0;

    private (int Least, int? Most, int Length) Quantifier(int at)
    {
        switch (_text[at])
        {
            case '*':
                return (0, null, 1);
            case '+':
                return (1, null, 1);
            case '?':
                return (0, 1, 1);
            case '{' when _text.IndexOf('}', at) is var end and > 0:
                var parts = _text[(at + 1)..end].Split(',');
                if (parts.Length > 2 || !parts[0].All(char.IsAsciiDigit) || !int.TryParse(parts[0], out var least))
                    return default;
                if (parts.Length == 1)
                    return (least, least, end + 1 - at);
                if (parts[1].Length == 0)
                    return (least, null, end + 1 - at);
                return parts[1].All(char.IsAsciiDigit) && int.TryParse(parts[1], out var most) ? (least, most, end + 1 - at) : default;
            default:
                return default;
        }
    }

    private int ClassEnd()
    {
        var at = _at + 1;
        at += at < _text.Length && _text[at] == '^' ? 1 : 0;
        at += at < _text.Length && _text[at] == ']' ? 1 : 0;
        for (; at < _text.Length && _text[at] != ']'; at++)
        {
            // A class within is subtracted, or is POSIX's.
            if (_text[at] == '[')
                break;
            at += _text[at] == '\\' ? 1 : 0;
        }

        if (at < _text.Length && _text[at] == ']')
            return at + 1;
        _beyond = true;
        return _text.Length;
    }

    private int EscapeEnd()
    {
        var next = _at + 1 < _text.Length ? _text[_at + 1] : '\0';
        var length = next switch
        {
            'd' or 'D' or 'w' or 'W' or 's' or 'S' or 't' or 'n' or 'r' or 'v' or 'f' or 'e' => 2,
            'x' => 4,
            'u' => 6,
            _ when char.IsAscii(next) && char.IsPunctuation(next) || next is '$' or '+' or '^' or '|' or '<' or '=' or '>' or '~' or '`' or ' ' => 2,
            _ => 0,
        };
        _beyond |= length == 0 || _at + length > _text.Length;
        return Math.Min(_text.Length, _at + Math.Max(1, length));
    }

    private SetNode? Set(int end)
    {
        if (_beyond)
            return null;
        var text = _text[_at..end];
        _at = end;
        if (!_sets.TryGetValue(text, out var set))
            _sets.Add(text, set = Taken(text));
        return new SetNode(set);
    }

    private ByteSet Taken(string atom)
    {
        var set = default(ByteSet);
        if (atom.Length == 1 && char.IsAsciiLetterOrDigit(atom[0]))
        {
            set = set.With(atom[0]);
            return _ignoreCase ? set.With(char.ToLowerInvariant(atom[0])).With(char.ToUpperInvariant(atom[0])) : set;
        }

        // `{` and others are literals here; alone they would be something else.
        var quoted = atom is "{" or "}" or "]" ? Regex.Escape(atom) : atom;
        var regex = new Regex($@"\A{quoted}\z", RegexOptions.CultureInvariant | (_ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None));
        Span<char> text = stackalloc char[1];
        for (var c = 0; c < 256; c++)
        {
            text[0] = (char)c;
            set = regex.IsMatch(text) ? set.With(c) : set;
        }

        return set;
    }

    private bool Takes(char c)
    {
        if (Ended || _text[_at] != c)
            return false;
        _at++;
        return true;
    }
}
