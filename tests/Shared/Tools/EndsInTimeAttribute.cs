using System.Diagnostics;
using NUnit.Framework.Internal.ExecutionHooks;

[assembly: MeshTrust.Tests.Tools.EndsInTime]

namespace MeshTrust.Tests.Tools;

/// <summary>
/// Gives every test, SetUp and TearDown of the assembly a deadline: a hanging one fails with its name, and the run continues.
/// NUnit cannot do this on .NET: Timeout is not supported, and CancelAfter is cooperative.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class EndsInTimeAttribute : ExecutionHookAttribute
{
    [ThreadStatic]
    private static DeadlineWatch? _watch;

    /// <summary>The deadline of what this thread runs now.</summary>
    public static DeadlineWatch? Current => _watch;

    public override void BeforeEverySetUpHook(HookData hookData) => Begin(hookData);

    public override void AfterEverySetUpHook(HookData hookData) => End();

    public override void BeforeTestHook(HookData hookData) => Begin(hookData);

    public override void AfterTestHook(HookData hookData) => End();

    public override void BeforeEveryTearDownHook(HookData hookData) => Begin(hookData);

    public override void AfterEveryTearDownHook(HookData hookData) => End();

    private static void Begin(HookData hookData)
    {
        if (Debugger.IsAttached) return;
        var test = hookData.Context.Test;
        // The innermost one applies: that of the method before that of the fixture.
        var seconds = test.AllPropertyValues(DeadlineAttribute.Name).OfType<int>().FirstOrDefault(DeadlineAttribute.Default);
        _watch = new DeadlineWatch(test.FullName, TimeSpan.FromSeconds(seconds));
    }

    private static void End()
    {
        var watch = _watch;
        _watch = null;
        watch?.End();
    }
}
