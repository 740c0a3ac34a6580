using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Istio;
using Weft.Client;

namespace Weft.Node.Network.Services;

/// <summary>
/// Services for which a rule of the mesh may have another answer than their endpoints: what meshed pods open to them goes to the proxy also when there is no endpoint. To any other
/// service without one they are refused by the kernel, like everybody: the proxy could only take the connection, and then end it.
/// </summary>
/// <param name="domain">Of service names: `cluster.local`.</param>
internal sealed class MeshRules(KubeClient client, string domain, TimeProvider time, Random random, Action<ApiResource, Exception> onError)
{
    private readonly Informer<VirtualService> _routes = Follow<VirtualService>(client, time, random, onError);
    private readonly Informer<DestinationRule> _rules = Follow<DestinationRule>(client, time, random, onError);

    /// <summary>True as long as it is not known: then the proxy says what there is.</summary>
    public bool MayAnswerFor(Service service) =>
        !_routes.HasSynced || !_rules.HasSynced || _routes.Cache.All().SelectMany(Hosts).Concat(_rules.Cache.All().SelectMany(Hosts)).Any(host => Names(host, service));

    /// <summary>Whether a host of a rule is the service, or a wildcard for it.</summary>
    public bool Names(string host, Service service) => RuledHosts.Covers(host, $"{service.Metadata.Name}.{service.Metadata.Namespace}.svc.{domain}");

    /// <param name="changed">Told of each host whose rules have changed, a whole name or a wildcard.</param>
    public async Task RunAsync(Action<string> changed, CancellationToken cancellationToken)
    {
        using var routes = _routes.Cache.Subscribe(change => Tell(Of(change.Old, Hosts), Of(change.New, Hosts)));
        using var rules = _rules.Cache.Subscribe(change => Tell(Of(change.Old, Hosts), Of(change.New, Hosts)));
        var running = Task.WhenAll(_routes.RunAsync(cancellationToken), _rules.RunAsync(cancellationToken));
        await Task.WhenAny(Task.WhenAll(_routes.Synced, _rules.Synced), running);
        changed("*");
        await running;

        void Tell(IEnumerable<string> before, IEnumerable<string> after)
        {
            foreach (var host in before.Union(after))
                changed(host);
        }

        static IEnumerable<string> Of<T>(T? value, Func<T, IEnumerable<string>> hosts) where T : class => value is null ? [] : hosts(value);
    }

    private IEnumerable<string> Hosts(VirtualService rules) => RuledHosts.Of(rules, domain);

    private IEnumerable<string> Hosts(DestinationRule rule) => RuledHosts.Of(rule, domain);

    // Their definitions may be a user's: in whichever version is served.
    private static Informer<T> Follow<T>(KubeClient client, TimeProvider time, Random random, Action<ApiResource, Exception> onError) where T : class, IObject
    {
        var kind = KindInfo.Of<T>();
        return new(client.ForCustom<T>(kind.Kind.Version), time, random, onError, older: [.. kind.OlderVersions.Select(client.ForCustom<T>)]);
    }
}
