using Weft.Api.Core;
using Weft.Client;
using Weft.Control.Workloads;
using Weft.Proxy.Config.Identity;

namespace Weft.Control.Identity;

/// <summary>Where service accounts are at work.</summary>
public interface IAccountPlaces
{
    /// <summary>A pod with this account is bound to the node and has not ended.</summary>
    bool Runs(string node, WorkloadAccount account);
}

/// <summary>By the pods of the cluster.</summary>
/// <param name="everywhere">Of what every node's proxy does itself: the front door.</param>
public sealed class PodAccounts(ObjectCache<Pod> pods, WorkloadAccount? everywhere = null) : IAccountPlaces
{
    // A blank is in no name.
    private readonly CacheIndex<Pod> _byPlace = pods.AddIndex(static pod => pod.IsFinished() || string.IsNullOrEmpty(pod.Spec.NodeName) ? []
        : [$"{pod.Spec.NodeName} {pod.Metadata.Namespace} {(string.IsNullOrEmpty(pod.Spec.ServiceAccountName) ? "default" : pod.Spec.ServiceAccountName)}"]);

    public bool Runs(string node, WorkloadAccount account) =>
        account == everywhere || _byPlace.Find($"{node} {account.Namespace} {account.Name}").Count > 0;
}
