using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Configuration.Validation;

/// <summary>Where a collector takes spans.</summary>
internal static class TracingAddress
{
    // OTLP/HTTP, "OTLP/HTTP Request": the default path for traces.
    private const string DefaultPath = "/v1/traces";

    /// <exception cref="ArgumentException">It is no such address.</exception>
    public static Uri Of(TracingConfig tracing)
    {
        if (!Uri.TryCreate(tracing.Endpoint, UriKind.Absolute, out var address) || address is not { Scheme: "http" or "https", UserInfo: "", Query: "", Fragment: "" })
            throw new ArgumentException("is no address with http or https, without a password and a query: http://collector:4318");
        return address.AbsolutePath == "/" ? new Uri(address, DefaultPath) : address;
    }
}
