using Cake.Core;

namespace Cake.Frosting;

/// <summary>Ends each task. For any context.</summary>
public abstract class FrostingTaskTeardown : FrostingTaskTeardown<ICakeContext>
{
}

/// <summary>Ends each task.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingTaskTeardown<TContext> : IFrostingTaskTeardown
    where TContext : ICakeContext
{
    /// <summary>Called after each task, also when it failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task and how it went.</param>
    public abstract void Teardown(TContext context, ITaskTeardownContext info);

    void IFrostingTaskTeardown.Teardown(ICakeContext context, ITaskTeardownContext info) => Teardown((TContext)context, info);
}
