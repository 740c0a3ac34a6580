using System.Globalization;

namespace Weft.Api.Selectors;

/// <summary>The grammar of `-l`: `a=b,c!=d,e in (x,y),!f,g`.</summary>
internal ref struct LabelQueryParser(ReadOnlySpan<char> text)
{
    private readonly ReadOnlySpan<char> _text = text;
    private int _at;

    public List<LabelRequirement> Parse()
    {
        var requirements = new List<LabelRequirement>();
        if (Peek() == "")
            return requirements;
        if (!IsIdentifier(Peek()) && Peek() != "!")
            throw Wrong(Peek(), "!, identifier, or 'end of string'");
        while (true)
        {
            requirements.Add(Requirement());
            var separator = Next();
            if (separator.Length == 0)
                return requirements;
            if (separator != ",")
                throw Wrong(separator, "',' or 'end of string'");
            if (!IsIdentifier(Peek()) && Peek() != "!")
                throw Wrong(Peek(), "identifier after ','");
        }
    }

    private LabelRequirement Requirement()
    {
        var not = Peek() == "!";
        if (not)
            Next();
        var key = Next();
        if (!IsIdentifier(key))
            throw Wrong(key, "identifier");
        if (LabelRules.KeyProblem(key) is { } problem)
            throw new SelectorException($"unable to parse requirement: <nil>: Invalid value: \"{key}\": {problem}");
        if (not)
            return new(key, LabelOperator.DoesNotExist, []);
        if (Peek() is "" or ",")
            return new(key, LabelOperator.Exists, []);

        var op = Next();
        return op switch
        {
            "in" => Checked(new(key, LabelOperator.In, Set())),
            "notin" => Checked(new(key, LabelOperator.NotIn, Set())),
            "=" or "==" => Checked(new(key, LabelOperator.Equals, [Value()])),
            "!=" => Checked(new(key, LabelOperator.NotEquals, [Value()])),
            ">" => Checked(new(key, LabelOperator.GreaterThan, [Value()])),
            "<" => Checked(new(key, LabelOperator.LessThan, [Value()])),
            _ => throw Wrong(op, "in, notin, =, ==, !=, gt, lt"),
        };
    }

    private static LabelRequirement Checked(LabelRequirement requirement)
    {
        for (var i = 0; i < requirement.Values.Count; i++)
        {
            var value = requirement.Values[i];
            var problem = LabelRules.ValueProblem(value);
            if (problem is null && requirement.Operator is LabelOperator.GreaterThan or LabelOperator.LessThan
                && !long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
                problem = "for 'Gt', 'Lt' operators, the value must be an integer";
            if (problem is not null)
                throw new SelectorException($"unable to parse requirement: values[{i}][{requirement.Key}]: Invalid value: \"{value}\": {problem}");
        }
        return requirement;
    }

    private string Value()
    {
        // `a=` asks for the empty value.
        if (Peek() is "" or ",")
            return "";
        var value = Next();
        return IsIdentifier(value) ? value : throw Wrong(value, "identifier");
    }

    private List<string> Set()
    {
        var open = Next();
        if (open != "(")
            throw Wrong(open, "'('");
        var values = new SortedSet<string>(StringComparer.Ordinal);
        if (Peek() == ")")
        {
            Next();
            return [""];
        }
        while (true)
        {
            // Between two commas stands an empty value.
            if (Peek() is "," or ")")
                values.Add("");
            else
            {
                var value = Next();
                if (!IsIdentifier(value))
                    throw Wrong(value, "',', ')' or identifier");
                values.Add(value);
            }
            var next = Next();
            if (next == ")")
                return [.. values];
            if (next != ",")
                throw Wrong(next, "',' or ')'");
        }
    }

    private string Peek()
    {
        var at = _at;
        var token = Next();
        _at = at;
        return token;
    }

    // Empty at the end.
    private string Next()
    {
        while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
            _at++;
        if (_at == _text.Length)
            return "";

        var start = _at++;
        if (!IsSpecial(_text[start]))
        {
            while (_at < _text.Length && !IsSpecial(_text[_at]) && !char.IsWhiteSpace(_text[_at]))
                _at++;
        }
        else if (_at < _text.Length && _text[start] is ('=' or '!') && _text[_at] == '=')
            _at++;
        return _text[start.._at].ToString();
    }

    private static bool IsSpecial(char c) => c is '=' or '!' or '(' or ')' or ',' or '>' or '<';

    private static bool IsIdentifier(string token) => token.Length > 0 && !IsSpecial(token[0]);

    private static SelectorException Wrong(string found, string expected) =>
        new($"unable to parse requirement: found '{found}', expected: {expected}");
}
