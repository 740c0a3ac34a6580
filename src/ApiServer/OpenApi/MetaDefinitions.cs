using Weft.Api;
using Weft.Api.Authentication;
using Weft.Api.Autoscaling;
using Weft.Api.Core;
using Weft.Api.Policy;
using Weft.Api.Schemas;

namespace Weft.ApiServer.OpenApi;

/// <summary>Definitions that operations refer to besides the kinds of resources.</summary>
internal sealed class MetaDefinitions(SchemaReader reader)
{
    private const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
    internal const string Status = Meta + "Status";
    internal const string DeleteOptions = Meta + "DeleteOptions";
    internal const string Patch = Meta + "Patch";
    internal const string ListMeta = Meta + "ListMeta";
    internal const string Scale = "io.k8s.api.autoscaling.v1.Scale";
    internal const string TokenRequest = "io.k8s.api.authentication.v1.TokenRequest";
    internal const string Eviction = "io.k8s.api.policy.v1.Eviction";
    internal const string Binding = "io.k8s.api.core.v1.Binding";

    private static readonly Schema PatchSchema = new()
    {
        Type = SchemaType.Object, DefinitionName = Patch, Description = "A patch, in the form that the content type says.",
    };

    internal Schema? Find(string name) => name switch
    {
        Patch => PatchSchema,
        Status => reader.FromType(typeof(Status)),
        DeleteOptions => reader.FromType(typeof(DeleteOptions)),
        ListMeta => reader.FromType(typeof(ListMeta)),
        Scale => reader.FromType(typeof(Scale)),
        TokenRequest => reader.FromType(typeof(TokenRequest)),
        Eviction => reader.FromType(typeof(Eviction)),
        Binding => reader.FromType(typeof(Binding)),
        _ => null,
    };
}
