using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Runtime;

namespace Weft.Control.Networking;

internal static class ServiceBackends
{
    /// <summary>Queues the services that a changed pod was or is behind.</summary>
    public static void Notify(ObjectCache<Service> services, Change<Pod> change, WorkQueue<ObjectKey> queue)
    {
        foreach (var service in services.InNamespace(change.Current.Metadata.Namespace ?? ""))
        {
            if (EndpointPods.HasSelector(service) && (change.Old?.IsSelectedBy(service) == true || change.New?.IsSelectedBy(service) == true))
                queue.Add(service.Key());
        }
    }
}
