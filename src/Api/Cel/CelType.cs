using Weft.Api.Schemas;

namespace Weft.Api.Cel;

public enum CelKind { Dyn, Null, Bool, Int, Uint, Double, String, Bytes, Timestamp, Duration, List, Map, Object, Optional, Type, Url, Ip, Cidr, Quantity, Format, Param }

/// <summary>A type of CEL, as the checker knows it. Immutable.</summary>
public sealed class CelType
{
    private CelType(CelKind kind, CelType? element = null, CelType? key = null, Schema? schema = null, string name = "", long? max = null) =>
        (Kind, Element, Key, Schema, Name, Max, _depth) = (kind, Bounded(element), Bounded(key), schema, name, max, 1 + Math.Max(element?._depth ?? 0, key?._depth ?? 0));

    // Bounds the recursion of everything that walks a type.
    private readonly int _depth;

    private static CelType? Bounded(CelType? part) => part?._depth >= CelLimits.MaxTypeDepth ? Dyn : part;

    public CelKind Kind { get; }

    /// <summary>Of a list its items, of a map its values, of an optional what it may hold.</summary>
    public CelType? Element { get; }
    public CelType? Key { get; }

    /// <summary>Of an object.</summary>
    public Schema? Schema { get; }

    /// <summary>Of a type parameter.</summary>
    public string Name { get; }

    /// <summary>Most items, where the schema bounds them.</summary>
    public long? Max { get; }

    public static readonly CelType Dyn = new(CelKind.Dyn);
    public static readonly CelType Null = new(CelKind.Null);
    public static readonly CelType Bool = new(CelKind.Bool);
    public static readonly CelType Int = new(CelKind.Int);
    public static readonly CelType Uint = new(CelKind.Uint);
    public static readonly CelType Double = new(CelKind.Double);
    public static readonly CelType String = new(CelKind.String);
    public static readonly CelType Bytes = new(CelKind.Bytes);
    public static readonly CelType Timestamp = new(CelKind.Timestamp);
    public static readonly CelType Duration = new(CelKind.Duration);
    public static readonly CelType Type = new(CelKind.Type);

    public static CelType Plain(CelKind kind) => new(kind);
    public static CelType List(CelType items, long? max = null) => new(CelKind.List, items, max: max);
    public static CelType Map(CelType key, CelType values, long? max = null) => new(CelKind.Map, values, key, max: max);
    public static CelType Optional(CelType value) => new(CelKind.Optional, value);
    public static CelType Object(Schema schema) => new(CelKind.Object, schema: schema);
    public static CelType Param(string name) => new(CelKind.Param, name: name);

    /// <summary>The type of values of a schema, or null when expressions cannot reach them: nothing is known of what is kept without a schema.</summary>
    public static CelType? Of(Schema schema)
    {
        if (schema.IntOrString)
            return Dyn;
        switch (schema.Type)
        {
            case SchemaType.Object:
                if (schema.AdditionalProperties is not { } values || schema.Properties.Count > 0)
                    return Object(schema);
                return Of(values) is { } type ? Map(String, type, schema.MaxProperties) : null;
            case SchemaType.Array:
                return schema.Items is { } items && Of(items) is { } item ? List(item, schema.MaxItems) : null;
            case SchemaType.String:
                return schema.Format switch { "date-time" or "datetime" or "date" => Timestamp, "duration" => Duration, "byte" => Bytes, _ => String };
            case SchemaType.Integer:
                return Int;
            case SchemaType.Number:
                return Double;
            case SchemaType.Boolean:
                return Bool;
            default:
                return null;
        }
    }

    /// <summary>The type of a member of an object by its name in expressions, or null.</summary>
    public CelType? Member(string name) => CelNames.Find(Schema!, name) is { } member ? Of(member.Schema) : null;

    public override string ToString() => Kind switch
    {
        CelKind.List => $"list({Element})",
        CelKind.Map => $"map({Key}, {Element})",
        CelKind.Optional => $"optional_type({Element})",
        CelKind.Null => "null",
        CelKind.Timestamp => "timestamp",
        CelKind.Param => Name,
        _ => Kind.ToString().ToLowerInvariant(),
    };
}
