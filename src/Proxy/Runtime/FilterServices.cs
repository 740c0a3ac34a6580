using System.Net;
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

    // Keys come from the address of the configuration alone: no redirect, no proxy of the environment. Between two fetches lie minutes: no connection is kept for the next.
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false, UseProxy = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None, PooledConnectionLifetime = TimeSpan.Zero,
        ConnectCallback = servers.ConnectAsync,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
        MaxResponseContentBufferSize = JoseLimits.Default.MaxKeySetBytes,
    };

    // Half of the machine for those whom nobody knows yet, and a queue of some seconds: the loops need the rest.
    private readonly PasswordWorkers _passwords = new(Math.Max(1, Environment.ProcessorCount / 2), waiting: 64);
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
        var own = new Dictionary<JwtProviderConfig, TokenIssuer>();

        var keys = new Dictionary<ApiKeyFilter, ApiKeyTable>();
        var users = new Dictionary<BasicAuthFilter, PasswordTable>();
        foreach (var filter in FileChanges.Filters(config).Distinct())
        {
            switch (filter)
            {
                case JwtFilter tokens:
                    foreach (var issuer in tokens.Issuers)
                        own.TryAdd(issuer, Issuer(issuer, sources, files, errors, isOfMany));
                    break;
                case ApiKeyFilter table:
                    Read(table.KeyFile, "apiKey: keyFile", files, errors, text => keys[table] = new ApiKeyTable(table.Keys, text));
                    break;
                case BasicAuthFilter table:
                    Read(table.Users, "basicAuth: users", files, errors, text => users[table] = new PasswordTable(text));
                    break;
            }
        }

        if (errors.Count > 0)
            throw new ProxyConfigException(errors);
        _sources = sources;
        return new FilterNeeds(issuers, own, keys, users, _passwords);
    }

    public void Dispose()
    {
        _client.Dispose();
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

        if (!sources.TryGetValue(provider, out var source))
        {
            var interval = TimeSpan.FromTicks(Math.Max(FetchInterval.Ticks, 2 * provider.FetchTimeout.Ticks));
            sources[provider] = source = _sources.GetValueOrDefault(provider) ?? new KeySource(new KeySetDownload(_client, provider, time, logger), time, provider.CacheDuration, interval);
        }

        return TokenIssuer.Of(provider, null, source);
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
