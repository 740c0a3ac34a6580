using System.Text;
using Weft.Balancing;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Http;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Routing.Actions;

/// <summary>Compiled <see cref="HashPolicy"/>s: the number by which a request is sent where others like it went.</summary>
internal sealed class HashPlan(IEnumerable<HashPolicy> policies)
{
    private readonly Part[] _parts = [.. policies.Select(p => new Part(p))];

    /// <summary>Null: nothing of it is there.</summary>
    public ulong? Of(RequestFacts facts, ref Rng rng, out MadeCookie? cookie)
    {
        ulong? hash = null;
        cookie = null;
        foreach (var part in _parts)
        {
            if (part.Of(facts, ref rng, ref cookie) is not { } own)
                continue;
            // In order: the same two values the other way round are another client.
            hash = hash is { } before ? System.Numerics.BitOperations.RotateLeft(before, 1) ^ own : own;
            if (part.Policy.Terminal)
                break;
        }

        return hash;
    }

    private sealed class Part(HashPolicy policy)
    {
        private readonly byte[] _name = Encoding.UTF8.GetBytes(policy switch
        {
            HeaderHash header => header.Name.ToLowerInvariant(),
            CookieHash cookie => cookie.Name,
            QueryHash query => query.Name,
            _ => "",
        });

        public HashPolicy Policy => policy;

        public ulong? Of(RequestFacts facts, ref Rng rng, ref MadeCookie? made) => policy switch
        {
            HeaderHash { Name: ":path" } => StableHash.Of(facts.Path.Target),
            HeaderHash { Name: ":authority" } => StableHash.Of(facts.Host.Name),
            HeaderHash => OfHeader(facts.Head.Headers),
            QueryHash => OfQuery(facts.Path.Query),
            SourceHash => OfSource(facts),
            CookieHash cookie => OfCookie(facts.Head.Headers, cookie, ref rng, ref made),
            _ => null,
        };

        private ulong? OfHeader(HeaderList headers)
        {
            ulong? hash = null;
            for (var i = headers.IndexOf(_name); i >= 0; i = headers.IndexOf(_name, i + 1))
                hash = StableHash.Of(headers.Value(i), hash ?? 0);
            return hash;
        }

        private ulong? OfQuery(ReadOnlySpan<byte> query)
        {
            foreach (var parameter in new QueryParameters(query))
            {
                if (parameter.NameIs(_name))
                    return StableHash.Of(parameter.Value);
            }

            return null;
        }

        private static ulong? OfSource(RequestFacts facts)
        {
            Span<byte> bytes = stackalloc byte[16];
            return facts.ClientAddress.TryWriteBytes(bytes, out var length) ? StableHash.Of(bytes[..length]) : null;
        }

        private ulong? OfCookie(HeaderList headers, CookieHash cookie, ref Rng rng, ref MadeCookie? made)
        {
            if (Cookies.TryGet(headers, _name, out var value))
                return StableHash.Of(value);
            if (cookie.Lifetime is null)
                return null;
            var number = rng.Next();
            made = new(cookie, number);
            Span<byte> text = stackalloc byte[MadeCookie.ValueLength];
            MadeCookie.Write(number, text);
            return StableHash.Of(text);
        }
    }
}
