using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Weft.Cluster.Tests.Chaos.Kills;

/// <summary>
/// Services whose endpoints tell service and version: headless ones in their first endpoint, for questions of names; those with an address in every endpoint,
/// for connections. The endpoints are of the carrier-grade range (RFC 6598), which the test makes local to its network.
/// </summary>
internal sealed record Population(int Headless, int Addressed)
{
    internal const string Range = "100.64.0.0/10";
    internal const int HeadlessEndpoints = 20;
    internal const int AddressedEndpoints = 10;

    private const uint First = 100u << 24 | 64 << 16;
    private const uint Half = 1 << 21; // the upper half of the range: endpoints that never change
    private const int HeadlessShift = 12, AddressedShift = 14, EndpointBits = 4;

    internal int Services => Headless + Addressed;

    internal int Endpoints => Headless * HeadlessEndpoints + Addressed * AddressedEndpoints;

    internal bool IsHeadless(int service) => service < Headless;

    internal string Name(int service) => (IsHeadless(service) ? "h" : "a") + service.ToString(CultureInfo.InvariantCulture);

    /// <summary>What differs from version to version: the first endpoint, or all.</summary>
    internal IReadOnlyList<string> Changing(int service, int version) => IsHeadless(service)
        ? [Address((uint)(service << HeadlessShift | version))]
        : [.. Enumerable.Range(0, AddressedEndpoints).Select(i => Address((uint)((service - Headless) << AddressedShift | version << EndpointBits | i)))];

    internal IReadOnlyList<string> Staying(int service) =>
        IsHeadless(service) ? [.. Enumerable.Range(1, HeadlessEndpoints - 1).Select(i => Address(Half | (uint)(service << 5 | i)))] : [];

    /// <summary>The version of a headless service by its addresses: null when they are not the service's, or not all.</summary>
    internal int? VersionOf(int service, IReadOnlyCollection<string> addresses)
    {
        var changing = addresses.Except(Staying(service)).ToList();
        return addresses.Count == HeadlessEndpoints && changing is [var first] && Offset(first) >> HeadlessShift == service ? (int)(Offset(first) & ((1 << HeadlessShift) - 1)) : null;
    }

    /// <summary>The version of a service with an address by the endpoint that took the connection: null when it is not the service's.</summary>
    internal int? VersionOf(int service, string endpoint) =>
        Offset(endpoint) >> AddressedShift == service - Headless ? (int)((Offset(endpoint) & ((1 << AddressedShift) - 1)) >> EndpointBits) : null;

    private static uint Offset(string address) => BinaryPrimitives.ReadUInt32BigEndian(IPAddress.Parse(address).GetAddressBytes()) - First;

    private static string Address(uint offset)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, First + offset);
        return new IPAddress(bytes).ToString();
    }
}
