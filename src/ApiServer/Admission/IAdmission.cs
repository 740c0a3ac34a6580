using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Authentication;

namespace Weft.ApiServer.Admission;

public enum AdmissionOperation { Create, Update, Delete, Connect }

public sealed record AdmissionRequest(UserInfo User, AdmissionOperation Operation, GroupVersionResource Resource, GroupVersionKind Kind)
{
    public string Subresource { get; init; } = "";
    public string Namespace { get; init; } = "";
    public string Name { get; init; } = "";

    /// <summary>The object that will be stored; a mutating plugin changes it in place. Null for Delete.</summary>
    public JsonObject? Object { get; init; }
    public JsonObject? OldObject { get; init; }
    public bool DryRun { get; init; }

    /// <summary>The server's own write at its start, of which users' webhooks and policies are not asked.</summary>
    public bool IsOwn { get; init; }

    /// <summary>The resource in the version of the request; null for what is not stored.</summary>
    public Registry.ResourceInfo? Served { get; init; }

    /// <summary>Sentences for `Warning:` headers.</summary>
    public List<string> Warnings { get; } = [];
}

/// <summary>Says yes or no to a write, or changes it. All mutators run before all validators; a refusal throws <see cref="Http.ApiException"/> (403 or 422).</summary>
public interface IAdmission
{
    string Name { get; }
    ValueTask MutateAsync(AdmissionRequest request, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}

/// <summary>Asks those users' mutators that want to see the object again.</summary>
/// <param name="changed">Whether the object was changed after all of them had been asked.</param>
internal delegate ValueTask SecondTurn(bool changed);

/// <summary>What users added to admission: mutators that are asked after the plugins, and validators.</summary>
internal interface IUserMutators
{
    /// <returns>Null when the object is as it was; otherwise the turn that follows when the plugins have looked again.</returns>
    ValueTask<SecondTurn?> ChangeAsync(AdmissionRequest request, CancellationToken cancellationToken);
    ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken);
}
