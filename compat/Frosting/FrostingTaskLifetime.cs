using Cake.Core;

namespace Cake.Frosting;

/// <summary>Prepares and ends each task. For any context.</summary>
public abstract class FrostingTaskLifetime : FrostingTaskLifetime<ICakeContext>
{
}

/// <summary>Prepares and ends each task.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingTaskLifetime<TContext> : IFrostingTaskLifetime
    where TContext : ICakeContext
{
    /// <summary>Called before each task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task.</param>
    public abstract void Setup(TContext context, ITaskSetupContext info);

    /// <summary>Called after each task, also when it failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task and how it went.</param>
    public abstract void Teardown(TContext context, ITaskTeardownContext info);

    void IFrostingTaskSetup.Setup(ICakeContext context, ITaskSetupContext info) => Setup((TContext)context, info);

    void IFrostingTaskTeardown.Teardown(ICakeContext context, ITaskTeardownContext info) => Teardown((TContext)context, info);
}
