using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Json;
using Weft.Api.Selectors;

namespace Weft.Control.Runtime;

/// <summary>Small questions about any object.</summary>
public static class ObjectFacts
{
    public static ObjectKey Key(this IObject value) => new(value.Metadata.Namespace ?? "", value.Metadata.Name ?? "");

    public static bool IsTerminating(this IObject value) => value.Metadata.DeletionTimestamp is not null;

    /// <summary>The one owner that manages the object.</summary>
    public static OwnerReference? Controller(this IObject value) => value.Metadata.OwnerReferences.FirstOrDefault(owner => owner.Controller == true);

    public static string? Annotation(this IObject value, string name) => value.Metadata.Annotations.GetValueOrDefault(name);

    public static OwnerReference AsController<T>(this T owner) where T : IObject
    {
        var kind = KindInfo.Of<T>().Kind;
        return new OwnerReference
        {
            ApiVersion = kind.ApiVersion, Kind = kind.Kind, Name = owner.Metadata.Name ?? "", Uid = owner.Metadata.Uid ?? "",
            Controller = true, BlockOwnerDeletion = true,
        };
    }

    public static ObjectReference Reference<T>(this T value) where T : IObject
    {
        var kind = KindInfo.Of<T>().Kind;
        return new ObjectReference
        {
            ApiVersion = kind.ApiVersion, Kind = kind.Kind, Namespace = value.Metadata.Namespace, Name = value.Metadata.Name,
            Uid = value.Metadata.Uid, ResourceVersion = value.Metadata.ResourceVersion,
        };
    }

    /// <summary>Null when the selector cannot be read: it then selects nothing, and its owner must be told.</summary>
    public static LabelQuery? Query(this LabelSelector selector)
    {
        try
        {
            return LabelQuery.FromSelector(ApiJson.ToTree(selector));
        }
        catch (SelectorException)
        {
            return null;
        }
    }

    /// <summary>Equality of content: records with lists compare lists by reference.</summary>
    public static bool SameAs<T>(this T left, T right) where T : notnull => JsonNode.DeepEquals(ApiJson.ToTree(left), ApiJson.ToTree(right));
}
