using Weft.ApiServer.Registry;

namespace Weft.ApiServer.OpenApi;

internal static class DefinitionNames
{
    /// <summary>`io.k8s.api.apps.v1.Deployment`; for a custom kind the group reversed: `com.example.stable.v1.CronTab`.</summary>
    internal static string Of(ResourceInfo resource) => resource.Schema.DefinitionName ??
        $"{string.Join('.', resource.Kind.Group.Split('.').Reverse())}.{resource.Kind.Version}.{resource.Kind.Kind}";

    internal static string ListOf(ResourceInfo resource) => Of(resource) + "List";

    /// <summary>Null for a subresource that streams.</summary>
    internal static string? OfSubresource(ResourceInfo resource, SubresourceInfo subresource)
    {
        if (subresource.Kind == resource.Kind)
            return subresource.Name is "status" or "finalize" or "approval" or "resize" or "ephemeralcontainers" ? Of(resource) : null;
        return (subresource.Kind.Group, subresource.Kind.Kind) switch
        {
            ("autoscaling", "Scale") => MetaDefinitions.Scale,
            ("authentication.k8s.io", "TokenRequest") => MetaDefinitions.TokenRequest,
            ("policy", "Eviction") => MetaDefinitions.Eviction,
            ("", "Binding") => MetaDefinitions.Binding,
            _ => null,
        };
    }
}
