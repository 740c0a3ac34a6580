using System.Reflection;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Tests.Model;

/// <summary>Values of any type of the model, made anew at each call: two samples of one number are equal only if the type compares by value.</summary>
internal static class Sample
{
    public static object Of(Type type, int number)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string))
            return $"text-{number}";
        if (type == typeof(int) || type == typeof(long) || type == typeof(double))
            return Convert.ChangeType(number + 100, type);
        if (type == typeof(bool))
            return number % 2 == 1;
        if (type == typeof(TimeSpan))
            return TimeSpan.FromMilliseconds(number + 1);
        if (type.IsEnum)
            return Enum.GetValues(type).GetValue(number % Enum.GetValues(type).Length)!;
        if (type == typeof(ValueMap))
            return new ValueMap([new("name", $"value-{number}"), new("another", "value")]);
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>))
            return typeof(Sample).GetMethod(nameof(ListOf), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type.GetGenericArguments()).Invoke(null, [number])!;
        if (type.IsAbstract)
        {
            var kinds = type.Assembly.GetTypes().Where(t => t.IsSubclassOf(type)).OrderBy(t => t.Name, StringComparer.Ordinal).ToList();
            return Record(kinds[number % kinds.Count], number);
        }

        return Record(type, number);
    }

    /// <summary>A record whose properties all have the sample of this number.</summary>
    public static object Record(Type type, int number)
    {
        var made = Leaf(type, number);
        foreach (var property in Settable(type).Where(property => IsOfItself(type, property.PropertyType)))
            property.SetValue(made, typeof(Sample).GetMethod(nameof(LeafOf), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type).Invoke(null, [number]));
        return made;
    }

    // A tree is one level deep.
    private static object Leaf(Type type, int number)
    {
        var made = Plain(type, number);
        foreach (var property in Settable(type).Where(property => !IsOfItself(type, property.PropertyType)))
            property.SetValue(made, Of(property.PropertyType, number));
        return made;
    }

    private static ValueList<T> LeafOf<T>(int number) => [(T)Leaf(typeof(T), number)];

    private static bool IsOfItself(Type type, Type list) => list == typeof(ValueList<>).MakeGenericType(type);

    public static IEnumerable<PropertyInfo> Settable(Type type) => type.GetProperties().Where(p => p.CanWrite && p.GetMethod is { IsStatic: false } && p.GetIndexParameters().Length == 0);

    private static object Plain(Type type, int number)
    {
        var constructor = type.GetConstructors().MinBy(c => c.GetParameters().Length);
        return constructor is null ? Activator.CreateInstance(type)! : constructor.Invoke([.. constructor.GetParameters().Select(p => IsOfItself(type, p.ParameterType) ? Activator.CreateInstance(p.ParameterType)! : Of(p.ParameterType, number))]);
    }

    private static ValueList<T> ListOf<T>(int number) => [(T)Of(typeof(T), number), (T)Of(typeof(T), number + 1)];
}
