using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <summary>Puts the cluster's certificate authority into every namespace: pods verify the API server by it.</summary>
internal static class RootCertificateController
{
    private const string Name = "kube-root-ca.crt";
    private const string Entry = "ca.crt";

    public static IControllerLoop Create(ControllerTools tools, string caPem)
    {
        var configMaps = tools.Client.For<ConfigMap>();
        var namespaces = tools.Informers.Cache<Namespace>();
        var loop = tools.Loop<ObjectKey>(ReconcileAsync, () => namespaces.All().Select(ns => ns.Key()), workers: 4);
        namespaces.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        // Names are enough: config maps may be large, and this one is read only when it was touched.
        tools.Informers.Feed(ApiResources.Of<ConfigMap>()).SubscribeToObjects(change =>
        {
            if (change.Current.Metadata.Name == Name)
                loop.Queue.Add(new ObjectKey("", change.Current.Metadata.Namespace ?? ""));
        });
        return loop;

        async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
        {
            if (namespaces.Find(key) is not { } ns || ns.IsTerminating())
                return null;
            var at = new ObjectKey(key.Name, Name);
            if (await configMaps.FindAsync(at, cancellationToken) is not { } existing)
            {
                await configMaps.CreateAsync(key.Name, new ConfigMap
                {
                    Metadata = new ObjectMeta
                    {
                        Name = Name,
                        Annotations = new Dictionary<string, string>
                        {
                            ["kubernetes.io/description"] = "The certificate authority of this cluster's API server, kept current by the cluster.",
                        },
                    },
                    Data = new Dictionary<string, string> { [Entry] = caPem },
                }, cancellationToken);
            }
            else if (existing.Data.Count != 1 || existing.Data.GetValueOrDefault(Entry) != caPem)
            {
                var data = new JsonObject { [Entry] = caPem };
                foreach (var other in existing.Data.Keys.Where(name => name != Entry))
                    data[other] = null;
                await configMaps.PatchAsync(at, Patch.Merge(new JsonObject { ["data"] = data }), cancellationToken);
            }

            return null;
        }
    }
}
