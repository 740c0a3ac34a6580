namespace Weft.ApiServer.Admission;

/// <summary>The plugins in their order. All mutators run before the object is validated, all validators after.</summary>
internal sealed class AdmissionChain(IReadOnlyList<IAdmission> plugins)
{
    /// <summary>Returns whether any plugin may have changed the object.</summary>
    public async ValueTask<bool> MutateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins)
            await plugin.MutateAsync(request, cancellationToken);
        return plugins.Count > 0;
    }

    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins)
            await plugin.ValidateAsync(request, cancellationToken);
    }
}
