using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Filters.Jwt;

/// <summary>
/// A key set from its issuer's server: from the address that the configuration says, or from where the issuer's own document leads. A redirect is an answer like any that is not 200: keys come from
/// where these two say, or not at all.
/// </summary>
/// <param name="open">A client for one fetch.</param>
/// <param name="closing">Nobody waits for keys any more.</param>
internal sealed partial class KeySetDownload(Func<HttpClient> open, JwtProviderConfig provider, TimeProvider time, ILogger logger, CancellationToken closing) : IKeySetFetcher
{
    public async Task<byte[]?> FetchAsync(CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(provider.FetchTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken, closing);
        using var client = open();
        if (provider.JwksUri is { } fixedAddress)
            return await GetAsync(client, new Uri(fixedAddress), either.Token);
        if (DiscoveryDocument.AddressOf(provider.Issuer) is not { } place || await GetAsync(client, place, either.Token) is not { } document)
            return null;
        if (DiscoveryDocument.KeysOf(document, provider.Issuer, out var why) is { } keys)
            return await GetAsync(client, keys, either.Token);
        Log.NotUsable(logger, place, why!);
        return null;
    }

    private async Task<byte[]?> GetAsync(HttpClient client, Uri address, CancellationToken cancellationToken)
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
        [LoggerMessage(LogLevel.Warning, "{Address} of an issuer of tokens could not be had: {Reason}", EventName = nameof(Unavailable))]
        public static partial void Unavailable(ILogger logger, Uri address, string reason);

        [LoggerMessage(LogLevel.Warning, "{Address} {Reason}; its issuer's keys are not fetched by it", EventName = nameof(NotUsable))]
        public static partial void NotUsable(ILogger logger, Uri address, string reason);
    }
}
