using System.Reflection;

namespace MeshTrust.Tests.Architecture;

/// <summary>If a tool is missing, SetUp ends early and NUnit still runs TearDown: fields that were not set must not fail a skipped test.</summary>
[TestFixture]
public sealed class TearDownTests
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static IEnumerable<TestCaseData> TearDowns() =>
        from type in typeof(TearDownTests).Assembly.GetTypes()
        where !type.IsAbstract && !type.IsDefined(typeof(SetUpFixtureAttribute), inherit: true)
        from method in type.GetMethods(Any)
        where method.IsDefined(typeof(TearDownAttribute), inherit: true) || method.IsDefined(typeof(OneTimeTearDownAttribute), inherit: true)
        select new TestCaseData(type, method).SetArgDisplayNames(type.FullName!["MeshTrust.Tests.".Length..], method.Name);

    [TestCaseSource(nameof(TearDowns))]
    public async Task Tolerates_a_set_up_that_did_not_run(Type type, MethodInfo method)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(method);
        var parameters = type.GetConstructors().Single().GetParameters();
        var fixture = Activator.CreateInstance(type, [.. parameters.Select(parameter => parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null)]);

        if (method.Invoke(fixture, null) is Task running) await running;
    }
}
