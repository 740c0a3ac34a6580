using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Registry;

/// <summary>Names, namespaces and uids of new objects.</summary>
internal sealed class ObjectNames(Random random)
{
    // No vowels and no characters that look alike: a random suffix must not spell words (Kubernetes' rand.SafeEncodeString alphabet).
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";
    private const int SuffixLength = 5;

    // DNS-1123 label of 63 characters, minus the suffix.
    private const int MaxBase = 63 - SuffixLength;

    private readonly Lock _gate = new();

    public string Suffix()
    {
        Span<char> suffix = stackalloc char[SuffixLength];
        lock (_gate)
        {
            foreach (ref var c in suffix)
                c = Alphabet[random.Next(Alphabet.Length)];
        }
        return suffix.ToString();
    }

    public string Generate(string prefix) => (prefix.Length > MaxBase ? prefix[..MaxBase] : prefix) + Suffix();

    /// <summary>A random (version 4) UUID from the injected source.</summary>
    public string Uid()
    {
        Span<byte> bytes = stackalloc byte[16];
        lock (_gate)
            random.NextBytes(bytes);
        bytes[6] = (byte)(bytes[6] & 0x0F | 0x40);
        bytes[8] = (byte)(bytes[8] & 0x3F | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    /// <summary>The body's namespace must be the path's, or absent; a cluster-scoped object has none.</summary>
    public static void Place(ResourceInfo resource, JsonObject tree, string ns)
    {
        var metadata = Metadata.Of(tree);
        var stated = Metadata.Text(metadata, "namespace");
        if (!resource.Namespaced)
        {
            if (stated.Length > 0)
                throw Statuses.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
            metadata.Remove("namespace");
            return;
        }

        if (stated.Length > 0 && stated != ns)
            throw Statuses.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        metadata["namespace"] = ns;
    }
}
