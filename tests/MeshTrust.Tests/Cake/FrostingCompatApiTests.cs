using System.Reflection;
using System.Text.RegularExpressions;
using Cake.Frosting;

namespace MeshTrust.Tests.Cake;

/// <summary>
/// Compares the stand-in with cake-frosting-api.txt, the recorded public API of Cake.Frosting: nothing less, and above
/// all nothing more, or a build that compiles here would not compile against the package.
/// </summary>
public sealed class FrostingCompatApiTests
{
    private static readonly Assembly Frosting = typeof(CakeHost).Assembly;

    /// <summary>Cake.Core 7 has its own IToolInstaller, which replaces it.</summary>
    private static readonly string[] Absent = StandIn ? ["Cake.Frosting.IToolInstaller"] : [];

    private static bool StandIn => Frosting.GetName().Name == "MeshTrust.FrostingCompat";

    [Test]
    public void Has_exactly_the_listed_public_API()
    {
        var written = Written();
        var built = Frosting.GetExportedTypes().ToDictionary(FullName, Surface);
        Assert.That(built.Keys, Is.EquivalentTo(written.Keys.Except(Absent)), "types");
        Assert.Multiple(() =>
        {
            foreach (var (type, surface) in built) Assert.That(surface, Is.EquivalentTo(written[type]), type);
        });
    }

    [Test]
    public void References_no_type_of_Spectre()
    {
        if (!StandIn) Assert.Ignore("NOT RUN: this is the Cake.Frosting package, not the stand-in.");
        Assert.That(Frosting.GetReferencedAssemblies().Select(name => name.Name), Has.None.StartsWith("Spectre"));
    }

    private static Dictionary<string, List<string>> Written()
    {
        var types = new Dictionary<string, List<string>>();
        List<string> lines = [];
        foreach (var line in File.ReadLines(Path.Combine(RepositoryRoot.Path, "tests/MeshTrust.Tests/Cake/cake-frosting-api.txt")).Where(line => line.Length > 0))
        {
            if (line[0] != ' ') types[Regex.Match(line, @"(?:class|interface) (\S+)").Groups[1].Value] = lines = [];
            lines.Add(line[0] == ' ' ? Plain(line) : Header(line));
        }

        return types;
    }

    private static string Plain(string line) => Regex.Replace(line, @"\s+", " ").Trim();

    /// <summary>The order of interfaces does not matter.</summary>
    private static string Header(string line)
    {
        var match = Regex.Match(Plain(line), "^(.+?) :(.*?)( where .*)?$");
        var bases = match.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal);
        return $"{match.Groups[1].Value} : {string.Join(", ", bases)}{match.Groups[3].Value}";
    }

    private static List<string> Surface(Type type)
    {
        var kind = type.IsInterface ? "interface" : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        var bases = type.GetInterfaces().Select(FullName).Concat(type.BaseType is { } parent && parent != typeof(object) ? [FullName(parent)] : []);
        var where = type.IsGenericTypeDefinition ? $" where {string.Join(" ", type.GetGenericArguments().Select(Constraint))}" : "";
        return
        [
            Header($"{kind} {FullName(type)} : {string.Join(", ", bases)}{where}"),
            .. type.GetCustomAttribute<AttributeUsageAttribute>(inherit: false) is { } usage ? [Usage(usage)] : Array.Empty<string>(),
            .. type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
                .Select(Member).OfType<string>(),
        ];
    }

    private static string Usage(AttributeUsageAttribute usage) =>
        $"on {usage.ValidOn}, {(usage.AllowMultiple ? "many" : "one")}, {(usage.Inherited ? "inherited" : "not inherited")}";

    private static string Constraint(Type parameter) =>
        $"{parameter.Name}: {string.Join(", ", parameter.GetGenericParameterConstraints().Select(FullName))} [{parameter.GenericParameterAttributes}]";

    private static string? Member(MemberInfo member) => member switch
    {
        ConstructorInfo constructor when constructor.IsPublic || constructor.IsFamily => Plain($"{(constructor.IsFamily ? "protected" : "")} .ctor({Parameters(constructor)})"),
        MethodInfo { IsSpecialName: false } method when method.IsPublic || method.IsFamily =>
            Plain($"{(method.IsFamily ? "protected" : "")} {(method.IsStatic ? "static" : method.IsAbstract ? "abstract" : method is { IsVirtual: true, IsFinal: false } ? "virtual" : "")} {FullName(method.ReturnType)} {method.Name}{TypeParameters(method)}({Parameters(method)})"),
        PropertyInfo property when property.GetMethod is { IsPublic: true } => $"{(property.DeclaringType!.IsInterface && !property.GetMethod.IsAbstract ? "default " : "")}{FullName(property.PropertyType)} {property.Name} {{ get; {(property.SetMethod is { IsPublic: true } ? "set; " : "")}}}",
        FieldInfo { IsPublic: true } or EventInfo or Type { IsNestedPublic: true } => $"{member.MemberType} {member.Name}",
        _ => null,
    };

    private static string TypeParameters(MethodInfo method) => method.IsGenericMethodDefinition
        ? $"<{string.Join(",", method.GetGenericArguments().Select(parameter => $"{parameter.Name}:{string.Join(",", parameter.GetGenericParameterConstraints().Select(FullName))}[{parameter.GenericParameterAttributes}]"))}>"
        : "";

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter => $"{FullName(parameter.ParameterType)} {parameter.Name}"));

    private static string FullName(Type type) => type.IsGenericParameter ? type.Name
        : type.IsGenericType ? $"{type.Namespace}.{type.Name.Split('`')[0]}<{string.Join(",", type.GetGenericArguments().Select(FullName))}>"
        : type.FullName ?? type.Name;
}
