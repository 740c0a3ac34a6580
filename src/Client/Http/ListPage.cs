using System.Text.Json;
using Weft.Api;
using Weft.Api.Json;

namespace Weft.Client;

/// <summary>Objects as of one revision. `Metadata.Continue` is set when more follow.</summary>
public sealed record ListPage<T>(IReadOnlyList<T> Items, ListMeta Metadata)
{
    public string ResourceVersion => Metadata.ResourceVersion ?? "";
}

internal static class ListReader
{
    /// <summary>Cuts a list into its items without a tree of the whole: a page may be megabytes.</summary>
    public static ListPage<T> Read<T>(ReadOnlySpan<byte> bytes, Codec<T> codec) where T : class
    {
        var json = new Utf8JsonReader(bytes);
        var items = new List<T>();
        var metadata = new ListMeta();
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("metadata"u8))
            {
                metadata = ApiJson.Deserialize<ListMeta>(Slice(bytes, ref json));
            }
            else if (json.ValueTextEquals("items"u8))
            {
                json.Read(); // an empty list may be null
                if (json.TokenType == JsonTokenType.StartArray)
                    ReadItems(bytes, ref json, codec, items);
            }
            else
            {
                json.Skip();
            }
        }

        return new ListPage<T>(items, metadata);
    }

    private static void ReadItems<T>(ReadOnlySpan<byte> bytes, ref Utf8JsonReader json, Codec<T> codec, List<T> items) where T : class
    {
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)json.TokenStartIndex;
            json.Skip();
            items.Add(codec.Read(bytes[start..(int)json.BytesConsumed]));
        }
    }

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> bytes, ref Utf8JsonReader json)
    {
        json.Read();
        var start = (int)json.TokenStartIndex;
        json.Skip();
        return bytes[start..(int)json.BytesConsumed];
    }
}
