using Weft.Api;
using Weft.Api.Core;
using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <summary>Gives every namespace its `default` service account: pods that name none run as it.</summary>
internal static class ServiceAccountController
{
    private const string DefaultName = "default";

    public static IControllerLoop Create(ControllerTools tools)
    {
        var accounts = tools.Resource<ServiceAccount>();
        var namespaces = tools.Informers.Cache<Namespace>();
        var loop = tools.Loop<ObjectKey>(ReconcileAsync, () => namespaces.All().Select(ns => ns.Key()), workers: 4);
        namespaces.Subscribe(change => loop.Queue.Add(change.Current.Key()));
        accounts.Cache.Subscribe(change =>
        {
            if (change.New is null && change.Old!.Metadata.Name == DefaultName)
                loop.Queue.Add(new ObjectKey("", change.Old.Metadata.Namespace ?? ""));
        });
        return loop;

        async Task<TimeSpan?> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
        {
            if (namespaces.Find(key) is not { } ns || ns.IsTerminating() || accounts.Cache.Find(new ObjectKey(key.Name, DefaultName)) is not null)
                return null;
            try
            {
                await accounts.CreateAsync(key.Name, new ServiceAccount { Metadata = new ObjectMeta { Name = DefaultName } }, cancellationToken);
            }
            catch (Weft.Client.ApiStatusException refused) when (refused.IsAlreadyExists)
            {
                // Somebody else gave it one: that is what was wanted.
            }

            return null;
        }
    }
}
