using System.Net;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Health;

/// <summary>A request is answered with an expected status. The body is not read.</summary>
internal sealed class HttpProbe(HttpHealthCheck check, HealthHttp http, Version version) : IHealthProbe
{
    public async Task<string?> AskAsync(IPEndPoint address, string? hostName, CancellationToken cancellationToken)
    {
        var host = check.Host ?? hostName ?? address.ToString();
        using var request = new HttpRequestMessage(new HttpMethod(check.Method), new Uri($"{http.Scheme}://{host}{check.Path}"))
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        // As kubelet does: applications tell checks from requests by it.
        request.Headers.TryAddWithoutValidation("User-Agent", "weft-health");
        foreach (var header in check.Headers)
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        try
        {
            using var response = await http.SendAsync(request, address, cancellationToken);
            var status = (int)response.StatusCode;
            return status >= check.ExpectFrom && status <= check.ExpectTo ? null : $"answered {status}";
        }
        catch (HttpRequestException failed)
        {
            return HealthHttp.Reason(failed);
        }
    }

    public void Dispose() => http.Dispose();
}
