using System.Globalization;
using System.Text;
using Weft.Proxy.Configuration.Validation;

namespace Weft.Proxy.Telemetry.Access.Text;

/// <summary>A line's template in the words of Envoy's access log ("Command Operators" of its documentation), compiled. What is not known is an error with its place: a log with a hole is found too late.</summary>
internal sealed class LogTemplate
{
    /// <summary>Istio's default (`meshConfig.accessLogFormat`).</summary>
    public const string Istio =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
        + "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
        + "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
        + "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

    private static readonly Dictionary<string, LogValue> Operators = new()
    {
        ["START_TIME"] = LogValue.StartTime,
        ["PROTOCOL"] = LogValue.Protocol,
        ["RESPONSE_CODE"] = LogValue.ResponseCode,
        ["RESPONSE_FLAGS"] = LogValue.ResponseFlags,
        ["RESPONSE_CODE_DETAILS"] = LogValue.ResponseCodeDetails,
        ["BYTES_RECEIVED"] = LogValue.BytesReceived,
        ["BYTES_SENT"] = LogValue.BytesSent,
        ["DURATION"] = LogValue.Duration,
        ["UPSTREAM_HOST"] = LogValue.UpstreamHost,
        ["UPSTREAM_REMOTE_ADDRESS"] = LogValue.UpstreamHost,
        ["UPSTREAM_CLUSTER"] = LogValue.UpstreamCluster,
        ["UPSTREAM_CLUSTER_RAW"] = LogValue.UpstreamCluster,
        ["UPSTREAM_REQUEST_ATTEMPT_COUNT"] = LogValue.AttemptCount,
        ["DOWNSTREAM_REMOTE_ADDRESS"] = LogValue.RemoteAddress,
        ["DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT"] = LogValue.RemoteAddressWithoutPort,
        ["DOWNSTREAM_REMOTE_PORT"] = LogValue.RemotePort,
        ["DOWNSTREAM_LOCAL_ADDRESS"] = LogValue.LocalAddress,
        ["DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT"] = LogValue.LocalAddressWithoutPort,
        ["DOWNSTREAM_LOCAL_PORT"] = LogValue.LocalPort,
        ["DOWNSTREAM_PEER_URI_SAN"] = LogValue.PeerIdentity,
        ["REQUESTED_SERVER_NAME"] = LogValue.ServerName,
        ["ROUTE_NAME"] = LogValue.RouteName,
        ["GRPC_STATUS"] = LogValue.GrpcStatus,
        ["GRPC_STATUS_NUMBER"] = LogValue.GrpcStatusNumber,
        ["TRACE_ID"] = LogValue.TraceId,
        // In Istio's default, and not known here: always `-`.
        ["CONNECTION_TERMINATION_DETAILS"] = LogValue.Absent,
        ["UPSTREAM_TRANSPORT_FAILURE_REASON"] = LogValue.Absent,
        ["UPSTREAM_LOCAL_ADDRESS"] = LogValue.Absent,
    };

    private static readonly Dictionary<string, LogValue> RequestFields = new()
    {
        [":method"] = LogValue.Method, [":path"] = LogValue.Path, [":authority"] = LogValue.Authority, ["host"] = LogValue.Authority, [":scheme"] = LogValue.Scheme,
        ["user-agent"] = LogValue.UserAgent, ["x-forwarded-for"] = LogValue.ForwardedFor, ["x-request-id"] = LogValue.RequestId,
    };

    private static readonly HashSet<string> Secrets = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
    private readonly List<LogPart> _parts = [];

    private LogTemplate()
    {
    }

    public IReadOnlyList<LogPart> Parts => _parts;

    public LogFields Fields { get; } = new();

    /// <exception cref="ArgumentException">Something in it is not known; the message says where.</exception>
    public static LogTemplate Parse(string text)
    {
        var template = new LogTemplate();
        for (var at = 0; at < text.Length;)
        {
            var percent = text.IndexOf('%', at);
            if (percent != at)
                template._parts.Add(Literal(percent < 0 ? text[at..] : text[at..percent]));
            if (percent < 0)
                break;
            at = template.Operator(text, percent);
        }

        if (!text.EndsWith('\n'))
            template._parts.Add(Literal("\n"));
        return template;
    }

    /// <summary>Takes one operator, and returns where the text goes on.</summary>
    private int Operator(string text, int percent)
    {
        var open = text.AsSpan(percent + 1).IndexOfAny('(', '%');
        if (open < 0)
            throw Bad(percent, "begins an operator that does not end; `%%` writes a percent sign");
        if (open == 0)
        {
            _parts.Add(Literal("%"));
            return percent + 2;
        }

        var name = text.Substring(percent + 1, open);
        var at = percent + 1 + open;
        string? argument = null;
        if (text[at] == '(')
        {
            var close = text.IndexOf(')', at);
            if (close < 0)
                throw Bad(percent, $"{name}( has no closing parenthesis");
            argument = text[(at + 1)..close];
            at = close + 1;
        }

        var end = text.IndexOf('%', at);
        if (end < 0 || (end > at && text[at] != ':'))
            throw Bad(percent, $"{name} does not end with a percent sign");
        var most = int.MaxValue;
        if (end > at && (!int.TryParse(text.AsSpan(at + 1, end - at - 1), NumberStyles.None, CultureInfo.InvariantCulture, out most) || most == 0))
            throw Bad(percent, $"{name} has a length that is no number above 0");
        _parts.Add(Part(name, argument, percent) with { Most = most });
        return end + 1;
    }

    private LogPart Part(string name, string? argument, int percent)
    {
        if (name is "REQ" or "RESP")
            return argument is null ? throw Bad(percent, $"{name} needs the name of a field: %{name}(X-NAME)%") : Field(argument, name == "RESP", percent);
        if (!Operators.TryGetValue(name, out var value))
            throw Bad(percent, $"%{name}% is not known; there are REQ, RESP, {string.Join(", ", Operators.Keys)}");
        switch (value, argument)
        {
            case (_, null):
                return new LogPart(value, Time: value == LogValue.StartTime ? TimePattern.Default : null);
            case (LogValue.StartTime, _):
                try
                {
                    return new LogPart(value, Time: TimePattern.Parse(argument));
                }
                catch (ArgumentException bad)
                {
                    throw Bad(percent, bad.Message);
                }

            case (LogValue.GrpcStatus, "NUMBER"):
                return new LogPart(LogValue.GrpcStatusNumber);
            case (LogValue.GrpcStatus, "CAMEL_STRING"):
                return new LogPart(value);
            default:
                throw Bad(percent, $"{name} does not take ({argument})");
        }
    }

    // `X?Y`: Y where there is no X.
    private LogPart Field(string argument, bool response, int percent)
    {
        LogPart? part = null;
        foreach (var one in argument.Split('?').Reverse())
        {
            var name = one.ToLowerInvariant();
            if (!name.StartsWith(':') && !FilterValidator.IsToken(name))
                throw Bad(percent, $"'{one}' is no name of a field");
            if (Secrets.Contains(name))
                throw Bad(percent, $"'{one}' holds credentials, which are not logged");
            if (!response && RequestFields.TryGetValue(name, out var known))
                part = new LogPart(known, Otherwise: part);
            else if (response && name == "x-envoy-upstream-service-time")
                part = new LogPart(LogValue.UpstreamServiceTime, Otherwise: part);
            else if (name.StartsWith(':'))
                throw Bad(percent, $"'{one}' is not known; there are {string.Join(", ", RequestFields.Keys.Where(key => key[0] == ':'))}");
            else
                part = new LogPart(LogValue.Field, Field: Fields.Add(Encoding.ASCII.GetBytes(name), response), Otherwise: part);
        }

        return part!;
    }

    private static LogPart Literal(string text) => new(LogValue.Literal, Encoding.UTF8.GetBytes(text));

    private static ArgumentException Bad(int at, string what) => new($"at character {at + 1}: {what}");
}
