using System.Text;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Http;

namespace Weft.Proxy.Telemetry.Workloads;

/// <summary>What a rule of the log can ask of a request.</summary>
internal readonly ref struct LogFacts
{
    /// <summary>0: there was none; -1: it is no request.</summary>
    public int Status { get; init; }
    public int GrpcStatus { get; init; }
    public bool MutualTls { get; init; }
    public ReadOnlySpan<byte> Method { get; init; }
    public ReadOnlySpan<byte> Host { get; init; }
    public ReadOnlySpan<byte> Path { get; init; }
    public long RequestBytes { get; init; }
    public long ResponseBytes { get; init; }

    /// <summary>Null: it is no request.</summary>
    public HeaderList? Headers { get; init; }
}

/// <summary>Whether a request is logged. As in CEL, what the request does not have makes a comparison neither true nor false; what is not true is not logged.</summary>
internal static class LogCheck
{
    public static bool Holds(LogRule rule, in LogFacts facts) => Ask(rule, facts) == true;

    private static bool? Ask(LogRule rule, in LogFacts facts)
    {
        switch (rule.Operator)
        {
            case LogOperator.All or LogOperator.Any:
                // One that is false (true) decides, whatever the others are.
                var decides = rule.Operator == LogOperator.Any;
                bool? result = !decides;
                foreach (var part in rule.Parts)
                {
                    var answer = Ask(part, facts);
                    if (answer == decides)
                        return decides;
                    result = answer is null ? null : result;
                }

                return result;
            case LogOperator.Not:
                return rule.Parts.Count == 1 ? !Ask(rule.Parts[0], facts) : null;
            case LogOperator.Present:
                return rule.Attribute == LogAttribute.Header ? facts.Headers is not null && TextOf(rule, facts, out _) : rule.Number is not null || NumberOf(rule.Attribute, facts) is not null || TextOf(rule, facts, out _);
            default:
                return rule.Number is { } number ? Compare(rule.Operator, NumberOf(rule.Attribute, facts), number) : TextOf(rule, facts, out var text) ? Compare(rule, text) : null;
        }
    }

    private static bool? Compare(LogOperator asked, long? is_, long number) => is_ is not { } value ? null : asked switch
    {
        LogOperator.Equal => value == number,
        LogOperator.Less => value < number,
        LogOperator.Greater => value > number,
        _ => null,
    };

    private static bool? Compare(LogRule rule, ReadOnlySpan<byte> value)
    {
        // A few rules, and texts of some bytes.
        var wanted = rule.Text ?? "";
        Span<byte> room = stackalloc byte[256];
        var bytes = Encoding.UTF8.TryGetBytes(wanted, room, out var length) ? room[..length] : Encoding.UTF8.GetBytes(wanted);
        return rule.Operator switch
        {
            LogOperator.Equal => value.SequenceEqual(bytes),
            LogOperator.Starts => value.StartsWith(bytes),
            LogOperator.Ends => value.EndsWith(bytes),
            LogOperator.Contains => value.IndexOf(bytes) >= 0,
            _ => null,
        };
    }

    private static long? NumberOf(LogAttribute attribute, in LogFacts facts) => attribute switch
    {
        LogAttribute.ResponseCode when facts.Status > 0 => facts.Status,
        LogAttribute.GrpcStatus when facts.GrpcStatus >= 0 => facts.GrpcStatus,
        LogAttribute.MutualTls => facts.MutualTls ? 1 : 0,
        LogAttribute.RequestSize => facts.RequestBytes,
        LogAttribute.ResponseSize => facts.ResponseBytes,
        _ => null,
    };

    private static bool TextOf(LogRule rule, in LogFacts facts, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (facts.Headers is not { } headers)
            return false;
        switch (rule.Attribute)
        {
            case LogAttribute.Method:
                text = facts.Method;
                return true;
            case LogAttribute.Host:
                text = facts.Host;
                return true;
            case LogAttribute.Path:
                text = facts.Path;
                return true;
            case LogAttribute.UrlPath:
                text = facts.Path.IndexOf((byte)'?') is >= 0 and var query ? facts.Path[..query] : facts.Path;
                return true;
            case LogAttribute.Header:
                Span<byte> name = stackalloc byte[256];
                if (rule.Header is not { Length: > 0 } header || !Encoding.UTF8.TryGetBytes(header, name, out var length) || headers.IndexOf(name[..length]) is not (var at and >= 0))
                    return false;
                text = headers.Value(at);
                return true;
            default:
                return false;
        }
    }
}
