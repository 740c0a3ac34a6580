using System.Text.Json.Nodes;

namespace Weft.ApiServer.Admission;

/// <summary>The plugins in their order, then what users added. All mutators run before the object is validated, all validators after.</summary>
internal sealed class AdmissionChain(IReadOnlyList<IAdmission> plugins, IUserMutators users)
{
    /// <summary>
    /// What users' mutators made the plugins have not seen (a container put in has no token yet), so these look once more, as in Kubernetes: each must leave as it is what it has made itself.
    /// </summary>
    /// <returns>Whether users' mutators changed the object.</returns>
    public async ValueTask<bool> MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        await RunAsync(request, cancellationToken);
        if (await users.ChangeAsync(request, cancellationToken) is not { } again)
            return false;
        var theirs = request.Object?.DeepClone();
        await RunAsync(request, cancellationToken);
        await again(!JsonNode.DeepEquals(theirs, request.Object));
        return true;
    }

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins)
            await plugin.ValidateAsync(request, cancellationToken);
        await users.ValidateAsync(request, cancellationToken);
    }

    private async ValueTask RunAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins)
            await plugin.MutateAsync(request, cancellationToken);
    }
}
