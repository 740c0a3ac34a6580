using System.Text;
using Weft.Api.Trees;

namespace Weft.Api.Cel.Library;

/// <summary>Functions of texts: those of the specification, of cel-go's strings extension and of Kubernetes' regex library. Indexes count code points.</summary>
internal static class Texts
{
    public static IEnumerable<Overload> All =>
    [
        Search("string.contains(string):bool", (_, a) => S(a, 0).Contains(S(a, 1), StringComparison.Ordinal)),
        Text("string.startsWith(string):bool", a => S(a, 0).StartsWith(S(a, 1), StringComparison.Ordinal)),
        Text("string.endsWith(string):bool", a => S(a, 0).EndsWith(S(a, 1), StringComparison.Ordinal)),
        Overload.Of("matches(string,string):bool", Matches),
        Overload.Of("string.matches(string):bool", Matches),
        Overload.Of("string.find(string):string", (run, a) => Found(run, S(a, 0), S(a, 1), 1) switch { CelList { Count: > 0 } list => list[0], CelList => "", var failure => failure }),
        Overload.Of("string.findAll(string):list<string>", (run, a) => Found(run, S(a, 0), S(a, 1), int.MaxValue)),
        Overload.Of("string.findAll(string,int):list<string>", (run, a) => Found(run, S(a, 0), S(a, 1), (long)a[2]! < 0 ? int.MaxValue : (long)a[2]!)),

        Text("string.charAt(int):string", a => (long)a[1]! == CelText.Length(S(a, 0)) ? "" : Sliced(S(a, 0), (long)a[1]!, (long)a[1]! + 1)),
        Search("string.indexOf(string):int", (_, a) => Index(S(a, 0), S(a, 1), 0)),
        Search("string.indexOf(string,int):int", (_, a) => Index(S(a, 0), S(a, 1), (long)a[2]!)),
        Search("string.lastIndexOf(string):int", (_, a) => Last(S(a, 0), S(a, 1), CelText.Length(S(a, 0)))),
        Search("string.lastIndexOf(string,int):int", (_, a) => Last(S(a, 0), S(a, 1), (long)a[2]!)),
        Text("string.lowerAscii():string", a => Mapped(S(a, 0), c => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c)),
        Text("string.upperAscii():string", a => Mapped(S(a, 0), c => char.IsAsciiLetterLower(c) ? (char)(c & ~0x20) : c)),
        Search("string.replace(string,string):string", (run, a) => Replaced(run, S(a, 0), S(a, 1), S(a, 2), -1)),
        Search("string.replace(string,string,int):string", (run, a) => Replaced(run, S(a, 0), S(a, 1), S(a, 2), (long)a[3]!)),
        Search("string.split(string):list<string>", (run, a) => Split(run, S(a, 0), S(a, 1), -1)),
        Search("string.split(string,int):list<string>", (run, a) => Split(run, S(a, 0), S(a, 1), (long)a[2]!)),
        Text("string.substring(int):string", a => Sliced(S(a, 0), (long)a[1]!, CelText.Length(S(a, 0)))),
        Text("string.substring(int,int):string", a => Sliced(S(a, 0), (long)a[1]!, (long)a[2]!)),
        Text("string.trim():string", a => S(a, 0).Trim()),
        Text("string.reverse():string", a => Reversed(S(a, 0))),
        Text("strings.quote(string):string", a => Quoted(S(a, 0))),
        Overload.Of("list<string>.join():string", (run, a) => Joined(run, (CelList)a[0]!, "")),
        Overload.Of("list<string>.join(string):string", (run, a) => Joined(run, (CelList)a[0]!, S(a, 1))),
        Overload.Of("string.format(list<dyn>):string", (run, a) => TextFormat.Write(run, S(a, 0), (CelList)a[1]!)),
    ];

    private static string S(object?[] values, int index) => (string)values[index]!;

    // What reads a text and makes one that is no longer is charged for both; before it makes anything.
    private static Overload Text(string signature, Func<object?[], object?> body) => Overload.Of(signature, (run, values) =>
    {
        run.ChargeText(S(values, 0));
        var result = body(values);
        run.ChargeScalar(result);
        return result;
    });

    // What looks for one text in another; a body that makes more than it was given charges for that itself.
    private static Overload Search(string signature, Func<CelRun, object?[], object?> body) => Overload.Of(signature, (run, values) =>
    {
        run.ChargeSearch(S(values, 0), S(values, 1));
        return body(run, values);
    });

    private static object? Matches(CelRun run, object?[] a) => Pattern(run, S(a, 0), S(a, 1)) is not { Problem: null } pattern
        ? new CelFailure($"invalid regular expression: {S(a, 1)}")
        : pattern.Matches(S(a, 0)) is { } matches ? matches : new CelFailure("the regular expression took too long");

    // cel-go's price of a regular expression: a tenth of the text times a quarter of the pattern. Making the automaton is part of it.
    private static PatternMatcher Pattern(CelRun run, string text, string pattern)
    {
        run.Charge((long)((text.Length / 10d + 1) * (pattern.Length / 4d + 1)));
        return run.Pattern(pattern);
    }

    private static object? Found(CelRun run, string text, string expression, long most)
    {
        var pattern = Pattern(run, text, expression);
        // No more than can be paid for.
        if (pattern.Find(text, (int)Math.Min(most, Math.Min(run.Left + 1, int.MaxValue))) is not { } found)
            return new CelFailure($"invalid regular expression: {expression}");
        run.Charge(found.Count);
        return CelList.Of([.. found]);
    }

    private static object Sliced(string text, long from, long to)
    {
        var (start, end) = (CelText.Offset(text, from), CelText.Offset(text, to));
        if (start < 0 || end < 0)
            return new CelFailure($"index out of range: {(start < 0 ? from : to)}");
        return start <= end ? text[start..end] : new CelFailure($"invalid substring range. start: {from}, end: {to}");
    }

    private static object Index(string text, string wanted, long from)
    {
        var start = CelText.Offset(text, from);
        if (start < 0)
            return new CelFailure($"index out of range: {from}");
        var found = text.IndexOf(wanted, start, StringComparison.Ordinal);
        return found < 0 ? -1L : CelText.Index(text, found);
    }

    private static object Last(string text, string wanted, long from)
    {
        var start = CelText.Offset(text, from);
        if (start < 0)
            return new CelFailure($"index out of range: {from}");
        var found = text.AsSpan(0, Math.Min(text.Length, start + wanted.Length)).LastIndexOf(wanted, StringComparison.Ordinal);
        return found < 0 ? -1L : CelText.Index(text, found);
    }

    private static string Mapped(string text, Func<char, char> map) => string.Create(text.Length, (text, map), static (span, state) =>
    {
        for (var i = 0; i < span.Length; i++)
            span[i] = state.map(state.text[i]);
    });

    // The code units backwards, and then those of each pair forwards again.
    private static string Reversed(string text)
    {
        var units = text.ToCharArray();
        Array.Reverse(units);
        for (var i = 0; i + 1 < units.Length; i++)
            if (char.IsLowSurrogate(units[i]) && char.IsHighSurrogate(units[i + 1]))
                (units[i], units[i + 1]) = (units[++i], units[i - 1]);
        return new string(units);
    }

    private static string Replaced(CelRun run, string text, string old, string replacement, long limit)
    {
        if (limit == 0)
            return text;
        // An empty text stands before each code point and at the end.
        var made = new StringBuilder();
        var at = 0;
        for (var count = 0L; (limit < 0 || count < limit) && at <= text.Length; count++)
        {
            var found = old.Length == 0 ? at : text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0)
                break;
            run.Charge(1 + ((long)found - at + replacement.Length) / 10);
            made.Append(text, at, found - at).Append(replacement);
            at = found + old.Length;
            if (old.Length == 0)
            {
                if (at == text.Length)
                    return made.ToString();
                var step = char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
                made.Append(text, at, step);
                at += step;
            }
        }
        run.Charge((text.Length - at) / 10);
        return made.Append(text, at, text.Length - at).ToString();
    }

    private static CelList Split(CelRun run, string text, string separator, long limit)
    {
        if (limit == 0)
            return CelList.Of([]);
        // Each part is a text of its own.
        run.Charge(text.Length / 10 + (separator.Length == 0 ? text.Length : text.AsSpan().Count(separator)));
        if (separator.Length == 0)
        {
            var runes = text.EnumerateRunes().Select(rune => rune.ToString()).ToList();
            if (limit < 0 || runes.Count <= limit)
                return CelList.Of([.. runes]);
            return CelList.Of([.. runes.Take((int)limit - 1), string.Concat(runes.Skip((int)limit - 1))]);
        }
        return CelList.Of([.. limit < 0 ? text.Split(separator) : text.Split(separator, (int)Math.Min(limit, int.MaxValue))]);
    }

    private static object Joined(CelRun run, CelList list, string separator)
    {
        var text = new StringBuilder();
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is not string item)
                return new CelFailure("join: the items are no strings");
            run.Charge(1 + ((long)item.Length + separator.Length) / 10);
            text.Append(i > 0 ? separator : "").Append(item);
        }
        return text.ToString();
    }

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            var index = "\a\b\f\n\r\t\v\\\"".IndexOf(c, StringComparison.Ordinal);
            if (index < 0)
                quoted.Append(c);
            else
                quoted.Append('\\').Append("abfnrtv\\\""[index]);
        }
        return quoted.Append('"').ToString();
    }
}
