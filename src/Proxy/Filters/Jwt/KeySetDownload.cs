using System.Net;
using Microsoft.Extensions.Logging;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>A key set from its issuer's server. A redirect is an answer like any that is not 200: keys come from where the configuration says, or not at all.</summary>
internal sealed partial class KeySetDownload(HttpClient client, Uri address, ILogger logger) : IKeySetFetcher
{
    public async Task<byte[]?> FetchAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.GetAsync(address, cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK)
                return await response.Content.ReadAsByteArrayAsync(cancellationToken);
            Log.Unavailable(logger, address, $"status {(int)response.StatusCode}");
        }
        catch (Exception away) when (away is HttpRequestException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            Log.Unavailable(logger, address, away.Message);
        }

        return null;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "the key set of {Address} could not be had: {Reason}", EventName = nameof(Unavailable))]
        public static partial void Unavailable(ILogger logger, Uri address, string reason);
    }
}
