using Weft.Api.Cel;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Control.Mesh.Telemetries;

/// <summary>From an expression in CEL (Istio's `accessLogging.filter.expression`) to the conditions that a proxy can ask of each request: comparisons of attributes with literals, joined by `&amp;&amp;`, `||` and `!`.</summary>
internal static class LogRules
{
    // A tree of this depth fits into a unit with all that is around it.
    private const int Deepest = 6;

    private static readonly Dictionary<string, (LogAttribute Attribute, bool IsNumber)> Attributes = new()
    {
        ["response.code"] = (LogAttribute.ResponseCode, true),
        ["response.grpc_status"] = (LogAttribute.GrpcStatus, true),
        ["response.size"] = (LogAttribute.ResponseSize, true),
        ["request.size"] = (LogAttribute.RequestSize, true),
        ["request.method"] = (LogAttribute.Method, false),
        ["request.host"] = (LogAttribute.Host, false),
        ["request.path"] = (LogAttribute.Path, false),
        ["request.url_path"] = (LogAttribute.UrlPath, false),
        ["connection.mtls"] = (LogAttribute.MutualTls, true),
    };

    public static string Names { get; } = string.Join(", ", Attributes.Keys.Append("request.headers['name']"));

    /// <returns>Null: it cannot be asked, and why not.</returns>
    public static LogRule? Read(string expression, out string why)
    {
        why = "";
        try
        {
            var tree = Parser.Parse(expression);
            return tree.Depth > Deepest * 2 ? throw new RefusedException("is nested too deeply") : Rule(tree, 0);
        }
        catch (CelSyntaxException wrong)
        {
            why = "is no CEL expression: " + wrong.Error.Message;
        }
        catch (RefusedException refused)
        {
            why = refused.Message;
        }

        return null;
    }

    private static LogRule Rule(Expr expression, int depth) => depth > Deepest ? throw new RefusedException("is nested too deeply") : expression switch
    {
        Logic logic => new LogRule(logic.And ? LogOperator.All : LogOperator.Any) { Parts = logic.Terms.Select(term => Rule(term, depth + 1)).ToValueList() },
        Call { Function: "!", Arguments: [var one] } => new LogRule(LogOperator.Not) { Parts = [Rule(one, depth + 1)] },
        Call { Function: "startsWith" or "endsWith" or "contains", Target: { } of, Arguments: [Literal { Value: string text }] } call when Attribute(of) is { IsNumber: false } attribute =>
            attribute.Rule(call.Function switch { "startsWith" => LogOperator.Starts, "endsWith" => LogOperator.Ends, _ => LogOperator.Contains }) with { Text = text },
        Call { Target: null, Arguments: [var one, var other] } call => Compare(call.Function, one, other),
        Select { Test: true } test => Attribute(test.Operand is Select { Operand: Ident { Name: "request" }, Field: "headers" } ? Header(test.Field) : new Select(0, test.Operand, test.Field, false, false)) is { } there
            ? there.Rule(LogOperator.Present)
            : throw new RefusedException($"has(...) is for attributes: {Names}"),
        // An attribute that is a truth by itself.
        _ when Attribute(expression) is { Of: LogAttribute.MutualTls } truth => truth.Rule(LogOperator.Equal) with { Number = 1 },
        _ => throw new RefusedException($"has a part that is not asked of requests; what is: ==, !=, <, <=, >, >=, startsWith, endsWith, contains, in, has, &&, || and ! of {Names}"),
    };

    private static LogRule Compare(string function, Expr one, Expr other)
    {
        var symbol = function.Trim('_', '@');
        if (symbol == "in")
        {
            // 'x-debug' in request.headers, and response.code in [500, 503].
            if (one is Literal { Value: string name } && other is Select { Operand: Ident { Name: "request" }, Field: "headers" })
                return Attribute(Header(name))!.Rule(LogOperator.Present);
            if (other is ListLiteral list && Attribute(one) is not null)
                return new LogRule(LogOperator.Any) { Parts = list.Items.Select(item => Compare("==", one, item.Value)).ToValueList() };
        }

        if (one is Literal && other is not Literal)
            return Compare(symbol switch { "<" => ">", ">" => "<", "<=" => ">=", ">=" => "<=", var same => same }, other, one);
        if (other is not Literal { Value: { } value } || Attribute(one) is not { } attribute)
            throw new RefusedException($"compares something else than an attribute with a literal; attributes are {Names}");
        LogRule With(LogOperator asked) => (attribute.IsNumber, value) switch
        {
            (true, long number) => attribute.Rule(asked) with { Number = number },
            (true, bool truth) when attribute.Of == LogAttribute.MutualTls => attribute.Rule(asked) with { Number = truth ? 1 : 0 },
            (false, string text) when asked == LogOperator.Equal => attribute.Rule(asked) with { Text = text },
            _ => throw new RefusedException("compares an attribute with a value of another type, or orders texts"),
        };
        LogRule Not(LogRule rule) => new(LogOperator.Not) { Parts = [rule] };
        return symbol switch
        {
            "==" => With(LogOperator.Equal),
            "!=" => Not(With(LogOperator.Equal)),
            "<" => With(LogOperator.Less),
            ">" => With(LogOperator.Greater),
            "<=" => Not(With(LogOperator.Greater)),
            ">=" => Not(With(LogOperator.Less)),
            _ => throw new RefusedException($"has the operator '{symbol}', which is not asked of requests"),
        };
    }

    private static Call Header(string name) => new(0, "_[_]", null, [new Select(0, new Ident(0, "request"), "headers", false, false), new Literal(0, name)]);

    private static Found? Attribute(Expr expression) => expression switch
    {
        Select { Test: false, Operand: Ident { Name: var of }, Field: var field } when Attributes.TryGetValue($"{of}.{field}", out var known) => new Found(known.Attribute, known.IsNumber, null),
        Call { Target: null, Arguments: [Select { Operand: Ident { Name: "request" }, Field: "headers" }, Literal { Value: string name }] } call when call.Function.Contains('[') => new Found(LogAttribute.Header, false, name.ToLowerInvariant()),
        _ => null,
    };

    private sealed record Found(LogAttribute Of, bool IsNumber, string? Header)
    {
        public LogRule Rule(LogOperator asked) => new(asked) { Attribute = Of, Header = Header };
    }

    private sealed class RefusedException(string why) : Exception(why);
}
