using System.Text;
using Weft.Proxy.Http;

namespace Weft.Proxy.Tests.Http;

public sealed class HeaderListTests
{
    /// <summary>Every known name is found under the spelling that its enum name stands for, whatever the case: a wrong letter in the table shows here.</summary>
    [Fact]
    public void Every_known_name_is_found()
    {
        foreach (var known in Enum.GetValues<KnownHeader>().Where(known => known != KnownHeader.None))
        {
            var name = known switch
            {
                KnownHeader.Http2Settings => "http2-settings",
                KnownHeader.B3 => "b3",
                KnownHeader.WwwAuthenticate => "www-authenticate",
                KnownHeader.XB3Flags or KnownHeader.XB3Sampled or KnownHeader.XB3Spanid or KnownHeader.XB3Traceid => "x-b3-" + known.ToString()[3..].ToLowerInvariant(),
                _ => string.Concat(known.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? "-" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString())),
            };
            Assert.Equal(known, KnownHeaders.Find(Encoding.ASCII.GetBytes(name)));
            var list = new HeaderList();
            list.Add(Encoding.ASCII.GetBytes(name.ToUpperInvariant()), "v"u8);
            Assert.True(list.Has(known));
            Assert.Equal(name, Encoding.ASCII.GetString(list.Name(0)));
        }
    }

    [Fact]
    public void It_behaves_as_a_plain_list_does()
    {
        var random = new Random(20);
        string[] names = ["host", "x-a", "cookie", "x-bb", "via", "te", "x-request-id", "zz"];
        var list = new HeaderList();
        var plain = new List<(string Name, string Value)>();
        for (var step = 0; step < 20_000; step++)
        {
            var name = names[random.Next(names.Length)];
            var value = new string((char)('a' + random.Next(26)), random.Next(40));
            var (nameBytes, valueBytes) = (Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
            switch (random.Next(plain.Count > 30 ? 6 : 5))
            {
                case 0 or 1:
                    list.Add(nameBytes, valueBytes);
                    plain.Add((name, value));
                    break;
                case 2:
                    Assert.Equal(plain.RemoveAll(field => field.Name == name), list.Remove(nameBytes));
                    break;
                case 3:
                    list.Set(nameBytes, valueBytes);
                    plain.RemoveAll(field => field.Name == name);
                    plain.Add((name, value));
                    break;
                case 4 when plain.Count > 0:
                    var at = random.Next(plain.Count);
                    list.SetValue(at, valueBytes);
                    plain[at] = (plain[at].Name, value);
                    break;
                case 5:
                    list.Clear();
                    plain.Clear();
                    break;
            }

            Assert.Equal(plain, Enumerable.Range(0, list.Count).Select(i => (Encoding.ASCII.GetString(list.Name(i)), Encoding.ASCII.GetString(list.Value(i)))));
            Assert.Equal(plain.FindIndex(field => field.Name == name), list.IndexOf(nameBytes));
            Assert.Equal(plain.Sum(field => field.Name.Length + field.Value.Length + 32), list.ListSize);
            Assert.Equal(plain.Exists(field => field.Name == "cookie"), list.Has(KnownHeader.Cookie));
        }
    }
}
