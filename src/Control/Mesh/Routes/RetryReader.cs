using System.Globalization;
using Weft.Control.Mesh.Diagnostics;
using Weft.Control.Mesh.Texts;
using Weft.Proxy.Config.Model;
using Istio = Weft.Api.Istio;

namespace Weft.Control.Mesh.Routes;

internal static class RetryReader
{
    // The proxy's own limit: more tries help nobody who has trouble.
    private const int MostAttempts = 10;

    private static readonly Dictionary<string, RetryOn> Conditions = new()
    {
        ["5xx"] = RetryOn.ServerError, ["gateway-error"] = RetryOn.GatewayError, ["reset"] = RetryOn.Reset, ["connect-failure"] = RetryOn.ConnectFailure,
        ["refused-stream"] = RetryOn.RefusedStream, ["retriable-4xx"] = RetryOn.Retriable4xx, ["retriable-status-codes"] = RetryOn.StatusCodes,
        ["cancelled"] = RetryOn.GrpcCancelled, ["deadline-exceeded"] = RetryOn.GrpcDeadlineExceeded, ["internal"] = RetryOn.GrpcInternal,
        ["resource-exhausted"] = RetryOn.GrpcResourceExhausted, ["unavailable"] = RetryOn.GrpcUnavailable,
    };

    public static RetryPolicy Read(Istio.HTTPRetry? retries, string field, Problems problems)
    {
        if (retries is null)
            return RetryPolicy.Default;
        var perTry = Durations.Read(retries.PerTryTimeout, $"{field}.perTryTimeout", problems);
        var backoff = Durations.Read(retries.Backoff, $"{field}.backoff", problems) ?? RetryPolicy.Default.BaseBackoff;
        var (on, codes) = string.IsNullOrWhiteSpace(retries.RetryOn) ? (RetryPolicy.Default.On, []) : On(retries.RetryOn, $"{field}.retryOn", problems);
        if (retries.Attempts is null or <= 0)
            return RetryPolicy.None;
        if (retries.Attempts > MostAttempts)
            problems.Warn($"{field}.attempts", $"{retries.Attempts} are counted as {MostAttempts}");
        problems.UnsupportedIf(retries.RetryRemoteLocalities == true, $"{field}.retryRemoteLocalities", "another try goes where the balancer sends it, near endpoints first");
        return RetryPolicy.Default with
        {
            Attempts = Math.Min(retries.Attempts.Value, MostAttempts), On = on, StatusCodes = codes, PerTryTimeout = perTry ?? TimeSpan.Zero,
            BaseBackoff = backoff, MaxBackoff = backoff * 10, // Envoy's: ten times the base
            // As in Istio: who writes retries means them for all methods.
            NonIdempotent = true, OtherEndpoint = retries.RetryIgnorePreviousHosts ?? true,
        };
    }

    private static (RetryOn On, ValueList<int> Codes) On(string text, string field, Problems problems)
    {
        var on = RetryOn.None;
        var codes = new List<int>();
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var code) && code is >= 100 and <= 599)
                codes.Add(code);
            else if (Conditions.TryGetValue(word, out var condition))
                on |= condition;
            else if (word is "reset-before-request" or "envoy-ratelimited" or "retriable-headers" or "http3-post-connect-failure")
                problems.Unsupported(field, $"'{word}' is not known here; known are {string.Join(", ", Conditions.Keys)}");
            else
                problems.Error(field, $"'{word}' is no condition; known are {string.Join(", ", Conditions.Keys)} and status codes");
        }

        on = codes.Count > 0 ? on | RetryOn.StatusCodes : on & ~RetryOn.StatusCodes;
        return (on, codes.Distinct().ToValueList());
    }
}
