using System.Collections.Immutable;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;
using Weft.Proxy.Tls;
using Weft.Proxy.Tls.Sessions;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Runtime;

/// <summary>
/// From configuration to TLS contexts. One that a listener or cluster had before is kept while its configuration and the bytes of its files are the same; connections that were made by
/// another go on with that.
/// </summary>
internal sealed class TlsContexts(TicketKeys tickets, TimeProvider time)
{
    private readonly TicketKeyRing _tickets = new(tickets);
    private Dictionary<string, Made> _made = [];

    /// <summary>Everything that a configuration needs. Nothing is kept of it when there are errors.</summary>
    public Prepared Prepare(ProxyConfig config)
    {
        var prepared = new Prepared(this, config);
        foreach (var listener in config.Listeners)
        {
            if (listener.Tls is { } tls)
                prepared.AddListener(listener, tls);
        }

        foreach (var cluster in config.Clusters)
        {
            if (cluster.Tls is { } tls)
                prepared.AddCluster(cluster, tls);
        }

        return prepared;
    }

    /// <summary>As <see cref="Prepare"/>; each listener and cluster stands for itself, and those that have errors are left out.</summary>
    /// <param name="failed">Hears of them: whether it is a listener, its name, what is wrong.</param>
    public Prepared PrepareEach(ProxyConfig config, Action<bool, string, string> failed)
    {
        var prepared = new Prepared(this, config);
        foreach (var listener in config.Listeners)
        {
            if (listener.Tls is { } tls)
                prepared.Try(() => prepared.AddListener(listener, tls), error => failed(true, listener.Name, error));
        }

        foreach (var cluster in config.Clusters)
        {
            if (cluster.Tls is { } tls)
                prepared.Try(() => prepared.AddCluster(cluster, tls), error => failed(false, cluster.Name, error));
        }

        return prepared;
    }

    public void Dispose()
    {
        foreach (var made in _made.Values)
            made.Context.Dispose();
        _made = [];
    }

    /// <param name="Fingerprint">Of configuration and files.</param>
    private sealed record Made(string Fingerprint, TlsContext Context);

    /// <summary>Contexts of a configuration that is about to be applied.</summary>
    internal sealed class Prepared(TlsContexts owner, ProxyConfig config)
    {
        private readonly Dictionary<string, Made> _made = [];
        private readonly List<string> _errors = [];

        public IReadOnlyList<string> Errors => _errors;

        public TlsServerContext? Listener(string name) => _made.GetValueOrDefault("listener/" + name)?.Context as TlsServerContext;

        public TlsClientContext? Cluster(string name) => _made.GetValueOrDefault("cluster/" + name)?.Context as TlsClientContext;

        public void Try(Action add, Action<string> failed)
        {
            add();
            if (_errors.Count == 0)
                return;
            failed(_errors[0]);
            _errors.Clear();
        }

        /// <summary>These are in use from now on; what is not needed any more goes when its last connection does.</summary>
        public void Commit()
        {
            foreach (var (key, before) in owner._made)
            {
                if (!_made.TryGetValue(key, out var now) || now.Context != before.Context)
                    before.Context.Dispose();
            }

            owner._made = _made;
        }

        public void Discard()
        {
            foreach (var (key, made) in _made)
            {
                if (!owner._made.TryGetValue(key, out var before) || before.Context != made.Context)
                    made.Context.Dispose();
            }
        }

        public void AddListener(ListenerConfig listener, ListenerTls tls) => Add("listener/" + listener.Name, $"listener {listener.Name}: tls", $"{tls} {string.Join(' ', Protocols(listener, tls))}", (files, place) =>
        {
            var clients = Clients(files, tls.ClientCertificates, tls.ClientAuthorities, tls.ClientNames, place);
            var settings = new TlsServerSettings
            {
                // Names that are given go before those of certificates, whoever has written these.
                Hosts =
                [
                    .. tls.Hosts.Select((host, i) => Host(files, host, $"{place}.hosts[{i}]")),
                    .. tls.Certificates.Select(certificate => new TlsHost { Certificates = [files.Certificate(config, certificate, place)], Clients = clients }),
                    .. tls.Passthrough.IsEmpty ? [] : new[] { new TlsHost { Names = [.. tls.Passthrough], Refuses = true } },
                ],
                Fallback = tls.Certificates.IsEmpty ? 0 : tls.Hosts.Count,
                RequireServerName = tls.RequireServerName,
                Protocols = [.. Protocols(listener, tls)],
                MinVersion = tls.MinVersion == TlsVersion.Tls13 ? TlsMinimum.Tls13 : TlsMinimum.Tls12,
                SessionLifetime = tls.SessionLifetime,
            };
            return () => TlsServerContext.TryCreate(settings, owner._tickets, owner.Time, out var context, out var error) ? (context, null) : (null, error);
        });

        private TlsHost Host(TlsFiles files, ListenerTlsHost host, string place) => host.Certificates.IsEmpty ? new TlsHost { Names = [.. host.Names], Refuses = true } : new TlsHost
        {
            Names = [.. host.Names], Rules = host.Rules, Certificates = [.. host.Certificates.Select(certificate => files.Certificate(config, certificate, place))],
            Clients = Clients(files, host.ClientCertificates, host.ClientAuthorities, host.ClientNames, place), MinVersion = host.MinVersion == TlsVersion.Tls13 ? TlsMinimum.Tls13 : TlsMinimum.Tls12,
        };

        private static ClientCertificateSettings Clients(TlsFiles files, ClientCertificates clients, DataSource? source, ValueList<StringMatch> names, string place)
        {
            var authorities = source is null ? null : files.Read(source, $"{place}.clientAuthorities");
            return clients == ClientCertificates.None ? ClientCertificateSettings.None : new()
            {
                Mode = clients == ClientCertificates.Required ? ClientCertificateMode.Required : ClientCertificateMode.Optional,
                AuthoritiesPem = authorities,
                Policy = new PeerPolicy { RequireUsage = false, Names = Names(names) },
            };
        }

        public void AddCluster(ClusterConfig cluster, UpstreamTls tls) => Add("cluster/" + cluster.Name, $"cluster {cluster.Name}: tls", $"{tls} {cluster.Protocol}", (files, place) =>
        {
            var settings = new TlsClientSettings
            {
                // An array that is null would become a bundle that is empty, not the system's.
                AuthoritiesPem = tls.Authorities is { } source ? files.Read(source, $"{place}.authorities") : default(ReadOnlyMemory<byte>?),
                Peer = tls.Names.IsEmpty ? null : new PeerPolicy { RequireUsage = false, Names = Names(tls.Names) },
                SkipVerification = tls.SkipVerification,
                Certificate = tls.Certificate is { } name ? files.Certificate(config, name, place) : null,
                Protocols = cluster.Protocol switch
                {
                    UpstreamProtocol.Http1 => ["http/1.1"],
                    UpstreamProtocol.Http2 => ["h2"],
                    _ => ["h2", "http/1.1"],
                },
                RequireProtocol = cluster.Protocol == UpstreamProtocol.Http2,
                MinVersion = tls.MinVersion == TlsVersion.Tls13 ? TlsMinimum.Tls13 : TlsMinimum.Tls12,
            };
            return () => TlsClientContext.TryCreate(settings, owner.Time, out var context, out var error) ? (context, null) : (null, error);
        });

        private void Add(string key, string place, string config, Func<TlsFiles, string, Func<(TlsContext? Context, string? Error)>> prepare)
        {
            using var files = new TlsFiles(_errors);
            var errors = _errors.Count;
            var create = prepare(files, place);
            if (_errors.Count > errors)
                return;
            var fingerprint = $"{config} {files.Fingerprint}";
            if (owner._made.TryGetValue(key, out var before) && before.Fingerprint == fingerprint)
            {
                _made[key] = before;
                return;
            }

            var (context, error) = create();
            if (context is null)
                _errors.Add($"{place}: {error}");
            else
                _made[key] = new Made(fingerprint, context);
        }

        // What the listener does not speak is not offered: a client that was promised it would be sent away.
        private static IEnumerable<string> Protocols(ListenerConfig listener, ListenerTls tls) => tls.Alpn.Where(protocol => listener.Kind != ListenerKind.Http || protocol switch
        {
            "h2" => listener.Http.Http2,
            "http/1.1" => listener.Http.Http1,
            _ => true,
        });

        private static Predicate<string>? Names(ValueList<StringMatch> matches)
        {
            if (matches.IsEmpty)
                return null;
            TextMatcher[] matchers = [.. matches.Select(match => new TextMatcher(match))];
            return name => matchers.Any(matcher => matcher.Matches(Encoding.UTF8.GetBytes(name)));
        }
    }

    private TimeProvider Time => time;
}
