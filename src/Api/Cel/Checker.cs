using Weft.Api.Cel.Library;

namespace Weft.Api.Cel;

/// <summary>What the checker found out about the parts of an expression.</summary>
internal sealed class Checked
{
    public Dictionary<Expr, CelType> Types { get; } = [];
    public Dictionary<Call, Overload[]> Forms { get; } = [];

    /// <summary>Parts that are a type by its name: `int`, `google.protobuf.Duration`.</summary>
    public Dictionary<Expr, CelType> TypeNames { get; } = [];

    /// <summary>Variables of the environment that the expression reads.</summary>
    public HashSet<string> Used { get; } = [];

    /// <summary>Regular expressions that stand in the text.</summary>
    public Dictionary<string, Trees.PatternMatcher> Patterns { get; } = [];
    public List<CelError> Errors { get; } = [];
}

/// <summary>Gives each part its type, and each call the forms of the function that may be meant. What is dynamic fits everything and is decided at run time.</summary>
internal sealed class Checker
{
    // As many as one refusal shows.
    private const int MaxErrors = 20;

    private readonly IReadOnlyDictionary<string, CelType> _variables;
    private readonly Checked _found = new();
    private readonly List<(string Name, CelType Type)> _scope = [];

    private Checker(IReadOnlyDictionary<string, CelType> variables) => _variables = variables;

    public static Checked Check(Expr expression, IReadOnlyDictionary<string, CelType> variables)
    {
        var checker = new Checker(variables);
        checker.Type(expression);
        return checker._found;
    }

    private CelType Type(Expr expression) => _found.Types[expression] = expression switch
    {
        Literal literal => OfLiteral(literal.Value),
        Ident ident => OfIdent(ident),
        Select select => OfSelect(select),
        Call call => OfCall(call),
        Logic logic => OfLogic(logic),
        Conditional conditional => OfConditional(conditional),
        ListLiteral list => OfList(list),
        MapLiteral map => OfMap(map),
        Fold fold => OfFold(fold),
        OptionalBind bind => OfBind(bind),
        _ => throw new InvalidOperationException(expression.GetType().Name),
    };

    private CelType Fail(Expr at, string message)
    {
        if (_found.Errors.Count < MaxErrors)
            _found.Errors.Add(new CelError(at.Position, message));
        return CelType.Dyn;
    }

    private static CelType OfLiteral(object? value) => value switch
    {
        null => CelType.Null,
        bool => CelType.Bool,
        long => CelType.Int,
        ulong => CelType.Uint,
        double => CelType.Double,
        string => CelType.String,
        _ => CelType.Bytes,
    };

    private CelType? Variable(string name)
    {
        for (var i = _scope.Count - 1; i >= 0; i--)
            if (_scope[i].Name == name)
                return _scope[i].Type;
        if (!_variables.TryGetValue(name, out var type))
            return null;
        _found.Used.Add(name);
        return type;
    }

    private CelType OfIdent(Ident ident)
    {
        if (Variable(ident.Name) is { } type)
            return type;
        if (TypeByName(ident.Name) is { } named)
        {
            _found.TypeNames[ident] = named;
            return CelType.Type;
        }
        return Fail(ident, $"undeclared reference to '{ident.Name}' (in container '')");
    }

    private static CelType? TypeByName(string name) => name switch
    {
        "bool" => CelType.Bool,
        "int" => CelType.Int,
        "uint" => CelType.Uint,
        "double" => CelType.Double,
        "string" => CelType.String,
        "bytes" => CelType.Bytes,
        "list" => CelType.Plain(CelKind.List),
        "map" => CelType.Plain(CelKind.Map),
        "null_type" => CelType.Null,
        "type" => CelType.Type,
        "optional_type" => CelType.Plain(CelKind.Optional),
        "google.protobuf.Timestamp" => CelType.Timestamp,
        "google.protobuf.Duration" => CelType.Duration,
        "net.IP" => CelType.Plain(CelKind.Ip),
        "net.CIDR" => CelType.Plain(CelKind.Cidr),
        "kubernetes.Quantity" => CelType.Plain(CelKind.Quantity),
        "kubernetes.URL" => CelType.Plain(CelKind.Url),
        _ => null,
    };

    private static string? Path(Expr expression) => expression switch
    {
        Ident ident => ident.Name,
        Select { Test: false, Optional: false } select => Path(select.Operand) is { } head ? $"{head}.{select.Field}" : null,
        _ => null,
    };

    private CelType OfSelect(Select select)
    {
        if (Path(select) is { } path && Variable(path[..path.IndexOf('.')]) is null && TypeByName(path) is { } named)
        {
            _found.TypeNames[select] = named;
            return CelType.Type;
        }
        var operand = Type(select.Operand);
        var optional = operand.Kind == CelKind.Optional;
        var member = Member(select, optional ? operand.Element! : operand);
        if (select.Test)
            return CelType.Bool;
        return optional || select.Optional ? member.Kind == CelKind.Optional ? member : CelType.Optional(member) : member;
    }

    private CelType Member(Select select, CelType from)
    {
        switch (from.Kind)
        {
            case CelKind.Dyn or CelKind.Param:
                return CelType.Dyn;
            case CelKind.Map:
                return from.Element ?? CelType.Dyn;
            case CelKind.Object:
                return from.Member(select.Field) ?? Fail(select, $"undefined field '{select.Field}'");
            default:
                return Fail(select, $"type '{from}' does not support field selection");
        }
    }

    private CelType OfCall(Call call)
    {
        // sets.contains(a, b) looks like a member of `sets`.
        var qualified = call.Target is { } target && Path(target) is { } path && !IsVariable(path) && Functions.Find($"{path}.{call.Function}", member: false, call.Arguments.Count) is { Count: > 0 } forms ? forms : null;
        var arguments = qualified is null && call.Target is not null ? [call.Target, .. call.Arguments] : call.Arguments;
        var types = arguments.Select(Type).ToList();
        var known = qualified ?? Functions.Find(call.Function, call.Target is not null, arguments.Count);
        if (known.Count == 0 && !Functions.Knows(call.Function))
            return Fail(call, $"undeclared reference to '{call.Function}' (in container '')");

        var fitting = new List<Overload>();
        CelType? result = null;
        foreach (var form in known)
        {
            if (Fit(form, types) is not { } given)
                continue;
            fitting.Add(form);
            result = result is null ? given : Same(result, given) ? result : CelType.Dyn;
        }
        if (fitting.Count == 0)
            return Fail(call, $"found no matching overload for '{Shown(call.Function)}' applied to '{Shown(call, types)}'");
        _found.Forms[call] = [.. fitting];
        if (call.Function is "matches" or "find" or "findAll" && arguments.Count > 1 && arguments[1] is Literal { Value: string pattern })
        {
            var matcher = _found.Patterns[pattern] = new Trees.PatternMatcher(pattern);
            if (matcher.Problem is { } problem)
                return Fail(arguments[1], $"invalid regular expression: {problem}");
        }
        return result!;
    }

    private bool IsVariable(string path) => Variable(path.IndexOf('.') is >= 0 and var dot ? path[..dot] : path) is not null;

    private static string Shown(string function) => function switch
    {
        "!" => "!_",
        "-_" => "-_",
        "in" => "@in",
        "[]" => "_[_]",
        "[?]" => "_[?_]",
        _ when char.IsLetter(function[0]) => function,
        _ => $"_{function}_",
    };

    private static string Shown(Call call, List<CelType> types) =>
        call.Target is null ? $"({string.Join(", ", types)})" : $"{types[0]}.({string.Join(", ", types.Skip(1))})";

    private static CelType? Fit(Overload form, List<CelType> types)
    {
        var bound = new Dictionary<string, CelType>();
        for (var i = 0; i < types.Count; i++)
            if (!Assign(form.Parameters[i], types[i], bound))
                return null;
        return Resolve(form.Result, bound);
    }

    private static bool Assign(CelType parameter, CelType given, Dictionary<string, CelType> bound)
    {
        if (parameter.Kind == CelKind.Param)
        {
            if (!bound.TryGetValue(parameter.Name, out var before))
                bound[parameter.Name] = given;
            else if (!Compatible(before, given))
                return false;
            else if (before.Kind is CelKind.Dyn or CelKind.Null)
                bound[parameter.Name] = given;
            return true;
        }
        if (given.Kind is CelKind.Dyn or CelKind.Param || parameter.Kind == CelKind.Dyn)
            return true;
        if (parameter.Kind != given.Kind)
            return false;
        return (parameter.Key is null || Assign(parameter.Key, given.Key ?? CelType.Dyn, bound)) && (parameter.Element is null || Assign(parameter.Element, given.Element ?? CelType.Dyn, bound));
    }

    private static CelType Resolve(CelType type, Dictionary<string, CelType> bound) => type.Kind switch
    {
        CelKind.Param => bound.GetValueOrDefault(type.Name, CelType.Dyn),
        CelKind.List => CelType.List(Resolve(type.Element!, bound)),
        CelKind.Map => CelType.Map(Resolve(type.Key!, bound), Resolve(type.Element!, bound)),
        CelKind.Optional => CelType.Optional(Resolve(type.Element!, bound)),
        _ => type,
    };

    private static bool Compatible(CelType a, CelType b)
    {
        if (a.Kind is CelKind.Dyn or CelKind.Null or CelKind.Param || b.Kind is CelKind.Dyn or CelKind.Null or CelKind.Param)
            return true;
        return a.Kind == b.Kind && (a.Element is null || b.Element is null || Compatible(a.Element, b.Element)) && (a.Key is null || b.Key is null || Compatible(a.Key, b.Key));
    }

    private static bool Same(CelType a, CelType b) => a.Kind == b.Kind && a.ToString() == b.ToString();

    private CelType OfLogic(Logic logic)
    {
        foreach (var term in logic.Terms)
            Truth(term, logic.And ? "_&&_" : "_||_");
        return CelType.Bool;
    }

    private void Truth(Expr expression, string where)
    {
        var type = Type(expression);
        if (type.Kind is not (CelKind.Bool or CelKind.Dyn or CelKind.Param))
            Fail(expression, $"found no matching overload for '{where}' applied to '({type})', expected bool");
    }

    private CelType OfConditional(Conditional conditional)
    {
        Truth(conditional.Condition, "_?_:_");
        var (then, otherwise) = (Type(conditional.Then), Type(conditional.Otherwise));
        if (!Compatible(then, otherwise))
            return Fail(conditional, $"found no matching overload for '_?_:_' applied to '(bool, {then}, {otherwise})'");
        return then.Kind is CelKind.Null or CelKind.Dyn ? otherwise : then;
    }

    private CelType OfList(ListLiteral list)
    {
        CelType? items = null;
        foreach (var (value, optional) in list.Items)
        {
            var type = Item(value, optional);
            items = items is null ? type : Same(items, type) ? items : CelType.Dyn;
        }
        return CelType.List(items ?? CelType.Dyn, list.Items.Count);
    }

    private CelType Item(Expr value, bool optional)
    {
        var type = Type(value);
        if (!optional || type.Kind == CelKind.Dyn)
            return type;
        return type.Kind == CelKind.Optional ? type.Element ?? CelType.Dyn : Fail(value, $"expected type 'optional_type' but found '{type}'");
    }

    private CelType OfMap(MapLiteral map)
    {
        CelType? keys = null, values = null;
        foreach (var (key, value, optional) in map.Entries)
        {
            var (keyType, type) = (Type(key), Item(value, optional));
            if (keyType.Kind is not (CelKind.Bool or CelKind.Int or CelKind.Uint or CelKind.String or CelKind.Dyn or CelKind.Double))
                Fail(key, $"unsupported key type: {keyType}");
            keys = keys is null || Same(keys, keyType) ? keyType : CelType.Dyn;
            values = values is null ? type : Same(values, type) ? values : CelType.Dyn;
        }
        return CelType.Map(keys ?? CelType.Dyn, values ?? CelType.Dyn, map.Entries.Count);
    }

    private CelType OfFold(Fold fold)
    {
        var range = Type(fold.Range);
        if (range.Kind is not (CelKind.List or CelKind.Map or CelKind.Dyn))
            return Fail(fold.Range, $"expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)");
        var (key, value) = range.Kind switch
        {
            CelKind.List => (CelType.Int, range.Element ?? CelType.Dyn),
            CelKind.Map => (range.Key ?? CelType.Dyn, range.Element ?? CelType.Dyn),
            _ => (CelType.Dyn, CelType.Dyn),
        };
        var single = range.Kind == CelKind.List ? value : key;
        var depth = _scope.Count;
        _scope.Add((fold.Variable, fold.Second is null ? single : key));
        if (fold.Second is not null)
            _scope.Add((fold.Second, value));

        if (fold.Filter is not null)
            Truth(fold.Filter, fold.Kind.ToString());
        var result = CelType.Bool;
        if (fold.Kind is FoldKind.Map or FoldKind.TransformList)
            result = CelType.List(Type(fold.Body), range.Max);
        else if (fold.Kind == FoldKind.TransformMap)
            result = CelType.Map(key, Type(fold.Body), range.Max);
        else
        {
            Truth(fold.Body, fold.Kind.ToString().ToLowerInvariant());
            if (fold.Kind == FoldKind.Filter)
                result = CelType.List(single, range.Max);
        }
        _scope.RemoveRange(depth, _scope.Count - depth);
        return result;
    }

    private CelType OfBind(OptionalBind bind)
    {
        var target = Type(bind.Target);
        if (target.Kind is not (CelKind.Optional or CelKind.Dyn))
            Fail(bind.Target, $"found no matching overload for '{(bind.Flat ? "optFlatMap" : "optMap")}' applied to '{target}.()'");
        _scope.Add((bind.Variable, target.Element ?? CelType.Dyn));
        var body = Type(bind.Body);
        _scope.RemoveAt(_scope.Count - 1);
        return bind.Flat ? body : CelType.Optional(body);
    }
}
