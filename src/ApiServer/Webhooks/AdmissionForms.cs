using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Subresources;

namespace Weft.ApiServer.Webhooks;

/// <summary>A request in the version that a rule names, and of the kind of its subresource.</summary>
/// <param name="Version">The resource in that version.</param>
internal sealed record AdmissionForm(ResourceInfo Version, GroupVersionKind Kind, GroupVersionKind RequestKind, JsonObject? Object, JsonObject? OldObject)
{
    public GroupVersionResource Resource => Version.Resource;
}

/// <summary>Shows requests to webhooks and policies, and takes back what a webhook changed.</summary>
internal static class AdmissionForms
{
    /// <summary>Whether users' parts are asked. Subresources whose body is the object itself, or a Scale. Those with a body of their own (bindings, evictions, tokens) are not shown to anybody.</summary>
    public static bool Shows(AdmissionRequest request) =>
        request is { Served: not null, IsOwn: false } && request.Subresource is "" or "status" or "scale" or "ephemeralcontainers" or "finalize";

    public static async ValueTask<AdmissionForm> ShowAsync(AdmissionRequest request, ResourceInfo version, CancellationToken cancellationToken)
    {
        var served = request.Served!;
        if (request.Subresource == "scale" && served.Scale is not null)
        {
            var scale = ScaleSubresource.Kind;
            return new AdmissionForm(version, scale, scale, ScaleOf(served, request.Object), ScaleOf(served, request.OldObject));
        }
        return new AdmissionForm(version, version.Kind, served.Kind,
            await ObjectCodec.ConvertAsync(served, version, request.Object, cancellationToken), await ObjectCodec.ConvertAsync(served, version, request.OldObject, cancellationToken));
    }

    /// <summary>Puts what a webhook made of the object in the place of the request's own.</summary>
    public static async ValueTask TakeAsync(AdmissionRequest request, AdmissionForm form, JsonObject changed, CancellationToken cancellationToken)
    {
        var served = request.Served!;
        var target = request.Object!;
        if (form.Kind == ScaleSubresource.Kind && request.Subresource == "scale")
        {
            JsonPaths.Set(target, served.Scale!.SpecReplicas, (changed["spec"] as JsonObject)?["replicas"]?.DeepClone());
            return;
        }
        var back = (await ObjectCodec.ConvertAsync(form.Version, served, changed, cancellationToken))!;
        Conform.PruneAndDefault(served, back);
        target.Clear();
        foreach (var (name, value) in back.ToList())
        {
            back.Remove(name);
            target[name] = value;
        }
    }

    private static JsonObject? ScaleOf(ResourceInfo served, JsonObject? tree) => tree is null ? null : ScaleSubresource.ToScale(served, tree);
}
