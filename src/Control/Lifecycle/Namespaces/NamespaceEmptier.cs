using Weft.Api;
using Weft.Client;

namespace Weft.Control.Lifecycle;

/// <summary>Deletes what is in a namespace, and says what is left.</summary>
internal sealed class NamespaceEmptier(KubeClient client)
{
    public async Task<NamespaceContent> EmptyAsync(string @namespace, CancellationToken cancellationToken)
    {
        var discovered = await Weft.Client.Discovery.ReadAsync(client, cancellationToken);
        var resources = discovered.Resources
            .Where(resource => resource.Namespaced && resource.Verbs.Contains("list") && resource.Verbs.Contains("delete"))
            .ToList();
        var remaining = new List<RemainingContent>();
        var failures = new List<string>();

        // Pods first (KEP-5080): while one still runs, its secrets and policies stay.
        var pods = resources.Where(resource => resource.Resource is { Group: "", Resource: "pods" }).ToList();
        await EmptyAllAsync(pods);
        if (remaining.Count == 0 && failures.Count == 0)
            await EmptyAllAsync(resources.Except(pods));
        return new NamespaceContent(remaining, discovered.Failed, failures);

        async Task EmptyAllAsync(IEnumerable<ApiResource> some)
        {
            foreach (var resource in some)
            {
                try
                {
                    if (await EmptyAsync(resource, @namespace, cancellationToken) is { } left)
                        remaining.Add(left);
                }
                catch (ApiStatusException refused) when (refused.Code is 404 or 405)
                {
                    // The resource went away since discovery, or cannot be listed after all: nothing of it can be here.
                }
                catch (ApiStatusException refused)
                {
                    failures.Add($"{resource.Resource.Qualified}: {refused.Message}");
                }
            }
        }
    }

    private async Task<RemainingContent?> EmptyAsync(ApiResource resource, string @namespace, CancellationToken cancellationToken)
    {
        var objects = client.Metadata(resource);
        var found = await objects.ListAsync(@namespace, cancellationToken);
        if (found.Items.Count == 0)
            return null;

        if (found.Items.Any(item => item.Metadata.DeletionTimestamp is null))
        {
            var background = new Deletion { Propagation = PropagationPolicy.Background };
            if (resource.Verbs.Contains("deletecollection"))
            {
                await objects.DeleteCollectionAsync(@namespace, cancellationToken, options: background);
            }
            else
            {
                foreach (var item in found.Items)
                    await objects.DeleteIfThereAsync(new ObjectKey(@namespace, item.Metadata.Name ?? ""), cancellationToken, background);
            }

            found = await objects.ListAsync(@namespace, cancellationToken);
        }

        return found.Items.Count == 0
            ? null
            : new RemainingContent(
                resource.Resource, found.Items.Count,
                found.Items.SelectMany(item => item.Metadata.Finalizers).CountBy(finalizer => finalizer).ToDictionary());
    }
}
