using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Weft.Proxy.Config.Wire;

/// <summary>Messages to bytes and back. Numbers are big-endian; a text is its length in two bytes and UTF-8; a list is its count in four bytes.</summary>
public static class WireCodec
{
    private const byte HelloType = 1, DeltaType = 2, AckType = 3, DrainingType = 4;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static byte[] Write(WireMessage message)
    {
        var to = new ArrayBufferWriter<byte>(1024);
        switch (message)
        {
            case Hello hello:
                Byte(to, HelloType);
                Number16(to, hello.WireVersion);
                Number64(to, hello.Epoch);
                Byte(to, hello.More ? (byte)1 : (byte)0);
                Number32(to, hello.Units.Length);
                foreach (var unit in hello.Units)
                {
                    Key(to, unit.Key);
                    Hash(to, unit.Hash);
                }

                break;
            case Delta delta:
                Byte(to, DeltaType);
                Number64(to, delta.Epoch);
                Number64(to, delta.Version);
                Byte(to, delta.More ? (byte)1 : (byte)0);
                Number32(to, delta.Upserts.Length);
                foreach (var unit in delta.Upserts)
                {
                    Key(to, unit.Key);
                    Hash(to, unit.Hash);
                    Number32(to, unit.Bytes.Length);
                    to.Write(unit.Bytes.Span);
                }

                Number32(to, delta.Removes.Length);
                foreach (var key in delta.Removes)
                    Key(to, key);
                break;
            case Ack ack:
                Byte(to, AckType);
                Number64(to, ack.Version);
                Number32(to, ack.Rejected.Length);
                foreach (var rejection in ack.Rejected)
                {
                    Key(to, rejection.Key);
                    Text(to, Cut(rejection.Path));
                    Text(to, Cut(rejection.Error));
                }

                break;
            case Draining draining:
                Byte(to, DrainingType);
                Number32(to, draining.Addresses.Length);
                foreach (var address in draining.Addresses)
                    Text(to, address);
                break;
        }

        return to.WrittenSpan.ToArray();
    }

    /// <exception cref="WireException">The bytes are no message, or one beyond a limit.</exception>
    public static WireMessage Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > WireLimits.MaxMessageBytes)
            throw new WireException($"a message of {bytes.Length} bytes; at most {WireLimits.MaxMessageBytes}");
        var from = new Cursor(bytes);
        WireMessage message = from.Byte() switch
        {
            HelloType => ReadHello(ref from),
            DeltaType => ReadDelta(ref from),
            AckType => ReadAck(ref from),
            DrainingType => ReadDraining(ref from),
            var type => throw new WireException($"unknown message type {type}"),
        };
        return from.IsAtEnd ? message : throw new WireException("bytes after the end of a message");
    }

    private static Hello ReadHello(ref Cursor from)
    {
        var version = from.Number16();
        var epoch = from.Number64();
        var more = from.Flag();
        var units = ImmutableArray.CreateBuilder<UnitState>(from.Count(1 + 2 + UnitHash.Length));
        while (units.Count < units.Capacity)
            units.Add(new(from.Key(), from.Hash()));
        return new Hello(version, epoch, units.MoveToImmutable(), more);
    }

    private static Delta ReadDelta(ref Cursor from)
    {
        var epoch = from.Number64();
        var version = from.Number64();
        var more = from.Flag();
        var upserts = ImmutableArray.CreateBuilder<ConfigUnit>(from.Count(1 + 2 + UnitHash.Length + 4));
        while (upserts.Count < upserts.Capacity)
        {
            var key = from.Key();
            var hash = from.Hash();
            var content = from.Bytes(from.Length(WireLimits.MaxUnitBytes)).ToArray();
            if (UnitHash.Of(content) != hash)
                throw new WireException($"the hash of {key} is not that of its bytes");
            upserts.Add(new(key, hash, content));
        }

        var removes = ImmutableArray.CreateBuilder<UnitKey>(from.Count(1 + 2));
        while (removes.Count < removes.Capacity)
            removes.Add(from.Key());
        return new Delta(epoch, version, upserts.MoveToImmutable(), removes.MoveToImmutable(), more);
    }

    private static Ack ReadAck(ref Cursor from)
    {
        var version = from.Number64();
        var count = from.Count(1 + 2 + 2 + 2);
        if (count > WireLimits.MaxRejections)
            throw new WireException($"{count} rejections; at most {WireLimits.MaxRejections}");
        var rejected = ImmutableArray.CreateBuilder<Rejection>(count);
        while (rejected.Count < rejected.Capacity)
            rejected.Add(new(from.Key(), from.Text(WireLimits.MaxTextBytes), from.Text(WireLimits.MaxTextBytes)));
        return new Ack(version, rejected.MoveToImmutable());
    }

    private static Draining ReadDraining(ref Cursor from)
    {
        var count = from.Count(2);
        if (count > WireLimits.MaxDraining)
            throw new WireException($"{count} draining endpoints; at most {WireLimits.MaxDraining}");
        var addresses = ImmutableArray.CreateBuilder<string>(count);
        while (addresses.Count < addresses.Capacity)
            addresses.Add(from.Text(WireLimits.MaxAddressBytes));
        return new Draining(addresses.MoveToImmutable());
    }

    // A message about an error must not itself be one: a quarter of the limit in characters is never more than the limit in bytes.
    private static string Cut(string text) => text.Length <= WireLimits.MaxTextBytes / 4 ? text : text[..(WireLimits.MaxTextBytes / 4)];

    private static void Byte(ArrayBufferWriter<byte> to, byte value) => to.Write([value]);

    private static void Number16(ArrayBufferWriter<byte> to, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(to.GetSpan(2), value);
        to.Advance(2);
    }

    private static void Number32(ArrayBufferWriter<byte> to, int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(to.GetSpan(4), value);
        to.Advance(4);
    }

    private static void Number64(ArrayBufferWriter<byte> to, ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to.GetSpan(8), value);
        to.Advance(8);
    }

    private static void Hash(ArrayBufferWriter<byte> to, UnitHash hash)
    {
        hash.Write(to.GetSpan(UnitHash.Length));
        to.Advance(UnitHash.Length);
    }

    private static void Key(ArrayBufferWriter<byte> to, UnitKey key)
    {
        Byte(to, (byte)key.Kind);
        Text(to, key.Name);
    }

    private static void Text(ArrayBufferWriter<byte> to, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Number16(to, checked((ushort)bytes.Length));
        to.Write(bytes);
    }

    private ref struct Cursor(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public readonly bool IsAtEnd => _rest.IsEmpty;

        public ReadOnlySpan<byte> Bytes(int count)
        {
            if (count > _rest.Length)
                throw new WireException("a message that ends too early");
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        public byte Byte() => Bytes(1)[0];

        public bool Flag() => Byte() switch { 0 => false, 1 => true, var other => throw new WireException($"a flag of {other}") };

        public ushort Number16() => BinaryPrimitives.ReadUInt16BigEndian(Bytes(2));

        public ulong Number64() => BinaryPrimitives.ReadUInt64BigEndian(Bytes(8));

        public UnitHash Hash() => UnitHash.Read(Bytes(UnitHash.Length));

        public int Length(int limit)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(Bytes(4));
            return length <= limit ? (int)length : throw new WireException($"{length} bytes; at most {limit}");
        }

        // A count can only be right if that many of the smallest items fit: no memory is given for more.
        public readonly int CountOf(uint count, int smallest) => count <= _rest.Length / smallest ? (int)count : throw new WireException($"a list of {count} in {_rest.Length} bytes");

        public int Count(int smallest) => CountOf(BinaryPrimitives.ReadUInt32BigEndian(Bytes(4)), smallest);

        public UnitKey Key() => new((UnitKind)Byte(), Text(WireLimits.MaxKeyBytes));

        public string Text(int limit)
        {
            var length = Number16();
            if (length > limit)
                throw new WireException($"a text of {length} bytes; at most {limit}");
            try
            {
                return Strict.GetString(Bytes(length));
            }
            catch (DecoderFallbackException)
            {
                throw new WireException("a text that is no UTF-8");
            }
        }
    }
}
