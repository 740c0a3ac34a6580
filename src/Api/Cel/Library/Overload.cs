using Weft.Api.Trees;

namespace Weft.Api.Cel.Library;

/// <summary>What one evaluation may still cost.</summary>
/// <param name="patterns">Those that the expression names in its text, made once for all evaluations.</param>
internal sealed class CelRun(long budget, IReadOnlyDictionary<string, PatternMatcher> patterns)
{
    // Making one takes milliseconds, and a rule may take a new one out of each item of a list: fifty of them use up what one expression may cost.
    private const long PatternCost = CelLimits.PerExpression / 50;

    // One that comes out of data may be asked for each item of a list.
    private readonly Dictionary<string, PatternMatcher> _made = [];

    private int _depth;

    public long Left { get; private set; } = budget;

    public PatternMatcher Pattern(string text)
    {
        if (patterns.TryGetValue(text, out var known))
            return known;
        if (!_made.TryGetValue(text, out var made))
        {
            Charge(PatternCost);
            _made[text] = made = new PatternMatcher(text);
        }
        return made;
    }

    /// <exception cref="CelBudgetException">Nothing is left.</exception>
    public void Charge(long cost)
    {
        Left -= cost;
        if (Left < 0)
            throw new CelBudgetException();
    }

    /// <summary>Reading a text costs a tenth of its length, as in cel-go.</summary>
    public void ChargeText(string text) => Charge(text.Length / 10);

    /// <summary>What of a value is read in one go: texts and bytes; of lists and maps nothing.</summary>
    public void ChargeScalar(object? value) => Charge(value switch { string text => text.Length / 10, byte[] bytes => bytes.Length / 10, _ => 0 });

    /// <summary>Looking for one text in another: cel-go's price of `contains`.</summary>
    public void ChargeSearch(string text, string wanted) => Charge((text.Length / 10L + 1) * (wanted.Length / 10L + 1));

    /// <summary>Goes one level down into a value; <see cref="Leave"/> goes up again.</summary>
    /// <exception cref="CelBudgetException">Deeper than a thread's stack is sure to hold.</exception>
    public void Enter()
    {
        if (++_depth > CelLimits.MaxValueDepth)
            throw new CelBudgetException();
    }

    public void Leave() => _depth--;
}

/// <summary>One form of a function: what it takes, what it gives, and how. Checker and evaluator choose by the same record.</summary>
internal sealed class Overload
{
    private Overload(string name, bool member, CelType[] parameters, CelType result, Func<CelRun, object?[], object?> body) =>
        (Name, IsMember, Parameters, Result, Body) = (name, member, parameters, result, body);

    public string Name { get; }

    /// <summary>The first parameter stands before the dot.</summary>
    public bool IsMember { get; }
    public CelType[] Parameters { get; }
    public CelType Result { get; }
    public Func<CelRun, object?[], object?> Body { get; }

    /// <param name="signature">`size(list&lt;A&gt;):int`, `string.split(string,int):list&lt;string&gt;`; a single capital letter is a type parameter. `@` in front: the name before the dot is no type (`@ip.isCanonical(string):bool`).</param>
    public static Overload Of(string signature, Func<CelRun, object?[], object?> body)
    {
        var isGlobal = signature[0] == '@';
        signature = signature.TrimStart('@');
        var open = signature.IndexOf('(');
        var close = signature.LastIndexOf("):", StringComparison.Ordinal);
        var head = signature[..open];
        // A receiver may have dots of its own: list<A>.sum; operators have none.
        var dot = head.LastIndexOf('.');
        var receiver = !isGlobal && dot > 0 && IsType(head[..dot]) ? head[..dot] : null;
        var parameters = Split(signature[(open + 1)..close]).Select(TypeOf);
        return new(receiver is null ? head : head[(dot + 1)..], receiver is not null, [.. receiver is null ? parameters : parameters.Prepend(TypeOf(receiver))], TypeOf(signature[(close + 2)..]), body);
    }

    /// <summary>The same form, which pays for the texts and bytes that it is given: a tenth of their length.</summary>
    public Overload Reading() => new(Name, IsMember, Parameters, Result, (run, values) =>
    {
        foreach (var value in values)
            run.ChargeScalar(value);
        return Body(run, values);
    });

    private static bool IsType(string text) => text.Contains('<') || text is "dyn" or "string" or "bytes" or "int" or "timestamp" or "duration" or "url" or "ip" or "cidr" or "quantity" or "format";

    private static IEnumerable<string> Split(string list)
    {
        var (depth, start) = (0, 0);
        for (var i = 0; i < list.Length; i++)
        {
            depth += list[i] switch { '<' => 1, '>' => -1, _ => 0 };
            if (list[i] != ',' || depth > 0)
                continue;
            yield return list[start..i];
            start = i + 1;
        }
        if (list.Length > 0)
            yield return list[start..];
    }

    private static CelType TypeOf(string text)
    {
        text = text.Trim();
        if (text.Length == 1 && char.IsAsciiLetterUpper(text[0]))
            return CelType.Param(text);
        var open = text.IndexOf('<');
        if (open < 0)
            return CelType.Plain(Enum.Parse<CelKind>(text, ignoreCase: true));
        var inner = Split(text[(open + 1)..^1]).Select(TypeOf).ToList();
        return text[..open] switch { "list" => CelType.List(inner[0]), "map" => CelType.Map(inner[0], inner[1]), _ => CelType.Optional(inner[0]) };
    }

    /// <summary>Whether the values of a call are those that this form takes.</summary>
    public bool Takes(object?[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (!Takes(Parameters[i].Kind, values[i]))
                return false;
        }
        return true;
    }

    private static bool Takes(CelKind kind, object? value) => kind switch
    {
        CelKind.Dyn or CelKind.Param => true,
        CelKind.Null => value is null,
        CelKind.Bool => value is bool,
        CelKind.Int => value is long,
        CelKind.Uint => value is ulong,
        CelKind.Double => value is double,
        CelKind.String => value is string,
        CelKind.Bytes => value is byte[],
        CelKind.Timestamp => value is DateTimeOffset,
        CelKind.Duration => value is TimeSpan,
        CelKind.List => value is CelList,
        CelKind.Map or CelKind.Object => value is CelMap,
        CelKind.Optional => value is CelOptional,
        CelKind.Type => value is CelType,
        CelKind.Url => value is CelUrl,
        CelKind.Ip => value is CelIp,
        CelKind.Cidr => value is CelCidr,
        CelKind.Quantity => value is Quantity,
        _ => value is CelFormat,
    };
}
