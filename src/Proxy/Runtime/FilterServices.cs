using System.Net;
using System.Net.Security;
using System.Text;
using Microsoft.Extensions.Logging;
using Weft.Jose;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Authentication;
using Weft.Proxy.Filters.Authentication.Passwords;
using Weft.Proxy.Filters.Jwt;

namespace Weft.Proxy.Runtime;

/// <summary>Gets what filters need beside their records. Fetched keys outlive a configuration: a provider that stays as it is keeps its keys.</summary>
internal sealed class FilterServices(KeyServers servers, TimeProvider time, ILogger logger) : IDisposable
{
    // Longer than a fetch may take, so that a request waits once at most for a server that is away.
    private static readonly TimeSpan FetchInterval = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _closing = new();

    // Half of the machine for those whom nobody knows yet, and a queue of some seconds: the loops need the rest.
    private readonly PasswordWorkers _passwords = new(Math.Max(1, Environment.ProcessorCount / 2), waiting: 64);
    private readonly Dictionary<JwtProviderConfig, WeakReference<TokenIssuer>> _own = [];
    private Dictionary<JwtProviderConfig, KeySource> _sources = [];

    /// <summary>Reads the files of a configuration that is valid.</summary>
    /// <param name="isOfMany">Of several authors: a provider without a usable key takes no token, and the others are served.</param>
    /// <exception cref="ProxyConfigException">One cannot be read, or is not what it should be.</exception>
    public FilterNeeds Prepare(ProxyConfig config, bool isOfMany = false)
    {
        var errors = new List<string>();
        using var files = new TlsFiles(errors);
        var sources = new Dictionary<JwtProviderConfig, KeySource>();
        var issuers = new Dictionary<string, TokenIssuer>();
        foreach (var provider in config.JwtProviders)
            issuers[provider.Name] = Issuer(provider, sources, files, errors, isOfMany);

        var keys = new Dictionary<ApiKeyFilter, ApiKeyTable>();
        var users = new Dictionary<BasicAuthFilter, PasswordTable>();
        foreach (var filter in FileChanges.Filters(config).Distinct())
        {
            switch (filter)
            {
                case ApiKeyFilter own:
                    Read(own.KeyFile, "apiKey: keyFile", files, errors, text => keys[own] = new ApiKeyTable(own.Keys, text));
                    break;
                case BasicAuthFilter own:
                    Read(own.Users, "basicAuth: users", files, errors, text => users[own] = new PasswordTable(text));
                    break;
            }
        }

        if (errors.Count > 0)
            throw new ProxyConfigException(errors);
        _sources = sources;
        return new FilterNeeds(issuers, OwnIssuer, keys, users, _passwords);
    }

    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
        _passwords.Dispose();
    }

    private TokenIssuer Issuer(JwtProviderConfig provider, Dictionary<JwtProviderConfig, KeySource> sources, TlsFiles files, List<string> errors, bool isOfMany)
    {
        if (provider.Jwks is { } keys)
        {
            var place = $"jwtProvider {provider.Name}: jwks";
            var set = KeySet.Parse(files.Read(keys, place));
            if (set is not { Keys.Count: > 0 } && isOfMany)
                set = new KeySet([]);
            else if (set is not { Keys.Count: > 0 })
                errors.Add($"{place}: is no JWK set with a key for ES256 or RS256");
            return TokenIssuer.Of(provider, set, null);
        }

        return TokenIssuer.Of(provider, null, sources[provider] = _sources.GetValueOrDefault(provider) ?? SourceOf(provider));
    }

    private KeySource SourceOf(JwtProviderConfig provider)
    {
        var interval = TimeSpan.FromTicks(Math.Max(FetchInterval.Ticks, 2 * provider.FetchTimeout.Ticks));
        return new KeySource(new KeySetDownload(() => ClientOf(provider), provider, time, logger, _closing.Token), time, provider.CacheDuration, interval);
    }

    // Keys come from the address of the configuration alone: no redirect, no proxy of the environment. Between two fetches lie minutes, so each has connections of its own, which no other namespace's fetch
    // finds open.
    private HttpClient ClientOf(JwtProviderConfig provider)
    {
        var @namespace = provider.Name.Split('/')[0];
        return new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, @namespace, cancellationToken),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = JoseLimits.Default.MaxKeySetBytes,
        };
    }

    // The handler's own TLS would ask for a name with the dot that it is written with at its end, which no certificate has (RFC 6066, section 3).
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, string @namespace, CancellationToken cancellationToken)
    {
        var isTls = context.InitialRequestMessage.RequestUri?.Scheme == Uri.UriSchemeHttps;
        var stream = await servers.ConnectAsync(context.DnsEndPoint, isTls, @namespace, cancellationToken);
        if (!isTls || !context.DnsEndPoint.Host.EndsWith('.'))
            return stream;
        var tls = new SslStream(stream);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = context.DnsEndPoint.Host.TrimEnd('.') }, cancellationToken);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    // Of a filter of one host among thousands: its keys stay as long as a filter has them, and nobody has to say which are gone.
    private TokenIssuer OwnIssuer(JwtProviderConfig provider)
    {
        lock (_own)
        {
            if (_own.TryGetValue(provider, out var known) && known.TryGetTarget(out var issuer))
                return issuer;
            foreach (var gone in _own.Where(pair => !pair.Value.TryGetTarget(out _)).Select(pair => pair.Key).ToList())
                _own.Remove(gone);
            issuer = provider.Jwks is { } keys
                ? TokenIssuer.Of(provider, KeySet.Parse(Encoding.UTF8.GetBytes(keys.Inline ?? "")) ?? new KeySet([]), null)
                : TokenIssuer.Of(provider, null, SourceOf(provider));
            _own[provider] = new WeakReference<TokenIssuer>(issuer);
            return issuer;
        }
    }

    private static void Read(DataSource? source, string place, TlsFiles files, List<string> errors, Action<string> make)
    {
        try
        {
            make(source is null ? "" : Encoding.UTF8.GetString(files.Read(source, place)));
        }
        catch (ArgumentException bad)
        {
            errors.Add($"{place}: {bad.Message}");
        }
    }
}
