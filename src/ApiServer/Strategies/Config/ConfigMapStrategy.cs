using System.Text;
using Weft.Api;
using Weft.ApiServer.Registry;

namespace Weft.ApiServer.Strategies.Config;

internal sealed class ConfigMapStrategy : DefaultStrategy
{
    public override bool HasStatus => false;

    protected override IEnumerable<FieldError> ValidateObject(Field root, Field? old, StrategyContext context)
    {
        var (data, binary) = (root["data"], root["binaryData"]);
        long bytes = 0;
        foreach (var (key, value) in data.Entries)
        {
            bytes += Encoding.UTF8.GetByteCount(value.TextOrEmpty);
            if (NameRules.DataKey(key) is { } wrong)
                yield return FieldError.Invalid(value.Path, Field.Show(key), wrong);
            if (binary[key].Exists)
                yield return FieldError.Invalid(value.Path, Field.Show(key), "duplicate of key present in binaryData");
        }
        foreach (var (key, value) in binary.Entries)
        {
            bytes += DataRules.DecodedLength(value.TextOrEmpty);
            if (NameRules.DataKey(key) is { } wrong)
                yield return FieldError.Invalid(value.Path, Field.Show(key), wrong);
        }
        if (bytes > DataRules.MaxBytes)
            yield return new FieldError(FieldErrorKind.TooLong, data.Exists ? data.Path : binary.Path, null, $"may not be more than {DataRules.MaxBytes} bytes");
        foreach (var error in DataRules.Immutable(root, old, ["data", "binaryData"]))
            yield return error;
    }
}
