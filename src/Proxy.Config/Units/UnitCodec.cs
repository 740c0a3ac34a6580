using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Units;

/// <summary>
/// The bytes of a unit: JSON without defaults and white space, always the same for the same content, so that equal hashes mean equal units. A reader
/// ignores members that it does not know (of names; not of the mesh, see <see cref="Read(ConfigUnit)"/>): a newer server may say more.
/// </summary>
public static class UnitCodec
{
    public static ConfigUnit Zone(string name, ZoneUnit unit) => Write(new(UnitKind.Zone, name), unit, UnitJson.Default.ZoneUnit);

    public static ConfigUnit Service(string @namespace, string name, ServiceUnit unit) => Write(new(UnitKind.Service, $"{@namespace}/{name}"), unit, UnitJson.Default.ServiceUnit);

    public static ConfigUnit Endpoints(string @namespace, string slice, EndpointsUnit unit) => Write(new(UnitKind.Endpoints, $"{@namespace}/{slice}"), unit, UnitJson.Default.EndpointsUnit);

    public static ConfigUnit Pod(string @namespace, string name, PodUnit unit) => Write(new(UnitKind.Pod, $"{@namespace}/{name}"), unit, UnitJson.Default.PodUnit);

    /// <param name="name">`service/orders`, `node/n1`.</param>
    public static ConfigUnit Registered(string name, RegisteredUnit unit) => Write(new(UnitKind.Registered, name), unit, UnitJson.Default.RegisteredUnit);

    public static ConfigUnit Destination(string host, DestinationUnit unit) => ModelJson.Write(new(UnitKind.Destination, host), unit);

    /// <param name="host">Of a table whose hosts are units of their own; null: the whole table.</param>
    public static ConfigUnit Routes(RouteTableConfig unit, string? host = null) => ModelJson.Write(new(UnitKind.Routes, host is null ? unit.Name : $"{unit.Name}/{host}"), unit);

    public static ConfigUnit Cluster(ClusterUnit unit) => ModelJson.Write(new(UnitKind.Cluster, unit.Cluster.Name), unit);

    public static ConfigUnit Backends(string source, BackendsUnit unit) => ModelJson.Write(new(UnitKind.Backends, source), unit);

    public static ConfigUnit Workload(string name, WorkloadUnit unit) => ModelJson.Write(new(UnitKind.Workload, name), unit);

    public static ConfigUnit Policy(string name, PolicyUnit unit) => ModelJson.Write(new(UnitKind.Policy, name), unit);

    public static ConfigUnit Tokens(string name, TokensUnit unit) => ModelJson.Write(new(UnitKind.Tokens, name), unit);

    public static ConfigUnit Listener(ListenerUnit unit) => ModelJson.Write(new(UnitKind.Listener, unit.Listener.Name), unit);

    public static ConfigUnit Node(string name, NodeUnit unit) => ModelJson.Write(new(UnitKind.Node, name), unit);

    public static ConfigUnit Secret(string name, SecretUnit unit) => ModelJson.Write(new(UnitKind.Secret, name), unit);

    public static ConfigUnit Telemetry(TelemetryUnit unit) => ModelJson.Write(new(UnitKind.Telemetry, "mesh"), unit);

    /// <summary>
    /// The typed unit: a <see cref="ZoneUnit"/>, <see cref="ServiceUnit"/>, <see cref="EndpointsUnit"/>, <see cref="PodUnit"/> or <see cref="RegisteredUnit"/>; of the mesh a <see cref="DestinationUnit"/>,
    /// <see cref="RouteTableConfig"/>, <see cref="ClusterUnit"/>, <see cref="BackendsUnit"/>, <see cref="WorkloadUnit"/>, <see cref="PolicyUnit"/>, <see cref="TokensUnit"/>,
    /// <see cref="ListenerUnit"/>, <see cref="SecretUnit"/> <see cref="NodeUnit"/> or <see cref="TelemetryUnit"/>. What the mesh is told is refused when it has a member that this program does not know: a condition that is passed over would let in
    /// what it was to keep out.
    /// </summary>
    /// <exception cref="UnitException">The kind is unknown, or the bytes are no such unit.</exception>
    public static object Read(ConfigUnit unit) => unit.Key.Kind switch
    {
        UnitKind.Zone => Read(unit, UnitJson.Default.ZoneUnit),
        UnitKind.Service => Read(unit, UnitJson.Default.ServiceUnit),
        UnitKind.Endpoints => Read(unit, UnitJson.Default.EndpointsUnit),
        UnitKind.Pod => Read(unit, UnitJson.Default.PodUnit),
        UnitKind.Registered => Read(unit, UnitJson.Default.RegisteredUnit),
        UnitKind.Destination => ModelJson.Read<DestinationUnit>(unit),
        UnitKind.Routes => ModelJson.Read<RouteTableConfig>(unit),
        UnitKind.Cluster => ModelJson.Read<ClusterUnit>(unit),
        UnitKind.Backends => ModelJson.Read<BackendsUnit>(unit),
        UnitKind.Workload => ModelJson.Read<WorkloadUnit>(unit),
        UnitKind.Policy => ModelJson.Read<PolicyUnit>(unit),
        UnitKind.Tokens => ModelJson.Read<TokensUnit>(unit),
        UnitKind.Listener => ModelJson.Read<ListenerUnit>(unit),
        UnitKind.Secret => ModelJson.Read<SecretUnit>(unit),
        UnitKind.Node => ModelJson.Read<NodeUnit>(unit),
        UnitKind.Telemetry => ModelJson.Read<TelemetryUnit>(unit),
        _ => throw new UnitException("", $"unknown kind {(byte)unit.Key.Kind}: the server is newer than this proxy"),
    };

    private static ConfigUnit Write<T>(UnitKey key, T unit, JsonTypeInfo<T> type) => ConfigUnit.Create(key, JsonSerializer.SerializeToUtf8Bytes(unit, type));

    private static T Read<T>(ConfigUnit unit, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(unit.Bytes.Span, type) ?? throw new UnitException("", "is null");
        }
        catch (JsonException bad)
        {
            throw new UnitException(bad.Path ?? "", "cannot be read: " + bad.Message);
        }
    }
}

/// <summary>A unit that cannot be used. The others can.</summary>
/// <param name="path">Where in the unit.</param>
public sealed class UnitException(string path, string message) : Exception(message)
{
    public string Path => path;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, MaxDepth = 8,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ZoneUnit))]
[JsonSerializable(typeof(ServiceUnit))]
[JsonSerializable(typeof(EndpointsUnit))]
[JsonSerializable(typeof(PodUnit))]
[JsonSerializable(typeof(RegisteredUnit))]
internal sealed partial class UnitJson : JsonSerializerContext;
