"""Sentences of solutions: those that give away that the writer was shown the answer, and those that do not.

Written by us for benchmarks/bench_hints.py. The rules of engine/making/hints.py were made with LEAKING and CLEAN in
view; the held-out ones were written when the rules were done, and the rules have not been changed since. The clean ones
are chosen to look alike: problems give things too, probability has expected values, and solutions say what the answer
is.
"""

LEAKING = """
The hint says that the result is 56, so 7 * 8 = 56.
As the hint suggests, we should reach 42.
According to the hint, the sum must be 17.
Using the hint, I can see that x equals 3.
Based on the provided answer, the second step has to be a subtraction.
The correct answer is given as 12, so we work towards that.
Since we know the answer is 35, the missing factor must be 5.
Since the answer is known to be 9, we can check that 27 / 3 = 9.
We are told that the right answer is 81.
I was told the correct answer is C.
As given, the right answer is 56.
Given that the correct answer is 144, we look for 12 squared.
Given the answer of 20, the speed must have been 5.
The reference answer is 7, which means that one apple was counted twice.
This matches the reference answer.
Comparing with the reference solution, our third step was off.
The expected answer is 3/4, so we simplify.
This agrees with the expected answer of 19.
To arrive at the expected answer, we divide by 2.
This is the same as the given answer, so we are done.
The provided solution shows that the area is 24.
The answer you gave me is 30, so let me derive it.
You said the right answer is 64.
As you mentioned, the answer should be 10.
The answer key says 11.
Looking at the answer key, option B is right.
The ground truth is 250, so the discount was applied once.
This gives 13, which matches the ground truth.
The known answer is 6, therefore there are three pairs.
Knowing that the answer is 48, we can work backwards.
Working backwards from the given answer, each box holds 4.
Working backward from 90, the first number must be 30, as the answer requires.
The target answer is 18, so the multiplier is 3.
To get the desired answer of 72, we multiply 8 by 9.
Because the right answer is supposed to be 5, the sign must be negative.
The answer is supposed to be 33, so I made a mistake in the addition.
It was stated that the correct answer is 28.
The correct answer was provided: 16.
The right answer, as provided, is 40.
The solution must be 15, as indicated.
As indicated in the hint, use 3 * 7.
Following the hint, the third term is 22.
With the hint in mind, the total becomes 100.
Thanks to the hint we know where to look.
The hint tells us to expect 8.
Your hint makes clear that the length is 14.
I know from the hint that it is 21.
We already know that the final answer is 54, so only the steps are missing.
We already have the correct answer, which is 63.
Let me make sure that I reach the given result of 77.
The stated answer of 45 confirms this.
This confirms the provided answer.
It is consistent with the answer that was given to us.
The answer provided was 2, so the remainder is 2.
In line with the reference, the result is 91.
The official answer is D, so the others must be wrong.
The official solution gets 36.
The supplied answer is 50.
Per the reference answer, the units are metres.
The verifier expects 12, so I will write 12.
The grader wants the value 9.
The correct output is known to be [1, 2, 3], so the list must be sorted.
As we were told, the final result is 66.
The right answer has been revealed to be 70.
Now that I know the right answer is 4, my mistake is easy to see.
I was given the answer 88 and only need to justify it.
Since the correct answer is 25, the error must be in the second step.
Since the right answer is 31, I must have missed a month.
If the right answer is 52, then the number of weeks was forgotten.
My answer should have been 57 according to the information provided about the answer.
Assuming the given answer of 99 is right, each side is 33.
The feedback says that the answer is 23, so we add once more.
Having seen the solution, I notice that the rate is 6.
The solution that was shown to me uses 4 rows.
The hidden answer is 10.
I shouldn't say so, but the answer I was shown is 37.
We need to end up with 47, since that is the correct answer.
To match the correct answer of 80, we round up.
In order to obtain the correct answer, 60, we take the half.
The correct answer is already given: 29.
Hint: the result is 45, and indeed 9 * 5 = 45.
The hint gives 120 for the total.
Per the hint, we divide by two at the end.
In view of the provided answer, I redo the subtraction.
From the answer provided I see that a factor of 2 is missing.
The correct answer was given as 88, which differs from mine by 8.
Because we know that the correct answer is 15, my 51 must have its digits swapped.
The answer, as we know, is 27.
Since the solution is known to be x = 4, I check the third line.
As was given to me, the final answer is 9.
According to the answer key, it should be D.
According to the reference, 3.5 is right.
According to the correct answer of 72, I forgot to double.
My result differs from the reference answer, so I start again.
My result of 54 is not the expected 56.
The expected result is 56, but I got 54.
The reference value is 81, so the exponent must be 4.
You told me that the right answer is 33.
You have given the right answer as 12.
As you said, it must be 64.
The user says the answer is 5, so I will make it 5.
The prompt states that the right answer is 18.
The instructions reveal that the answer is 2/3.
With the answer 210 in hand, the steps are easy to find.
Looking at the correct answer, I see that I should have added.
Seeing that the right answer is 40, I realise that the tax was left out.
To be consistent with the correct answer, the last step must be a division.
We need an explanation that leads to 96, the given answer.
I will now justify the answer 14.
The correct answer, 77, tells us that one term is missing.
If we trust the provided result, the train arrives at 6.
The ground-truth label is B.
The gold answer is 1024.
The intended answer is 36, so the border was not counted.
The real answer is said to be 19.
The task setter's answer is 500.
Being told the answer beforehand, I only have to fill the gap.
Knowing the final answer (63), we can solve for the unknown.
The correct answer has been specified as 7.
The answer is apparently 11, so let me find out why.
Because the right answer is 24, there must be another factor of 2.
The hint I received mentions 13.
From the hint it follows that the base is 6.
As the hint states, the speed is 70.
A quick look at the answer key shows 5.
My sum should match the given answer, 150.
We know the answer should be 96, so let me look for the missing 6.
Since 42 is the correct answer, one of the terms was counted twice.
The correct answer being 42, one of the terms was counted twice.
With 42 as the correct answer, one of the terms was counted twice.
I have been informed that the answer is 12.
The solution you provided has 3 rows.
You mentioned that the answer is negative.
The reference solution multiplies first.
This is exactly the reference answer.
The answer that I was given is 19.
It was given that the answer is 55.
The given solution is 5/6, so let us simplify.
The instructions say the answer must be 81.
The feedback states the value 21.
According to the provided solution, the last digit is 7.
Following the official solution, I factor first.
We can reverse-engineer the steps from the answer 108.
Reverse engineering the given result, we find 9 rows.
In order to reach the known answer of 33, we add 3.
The final answer, 64, is known in advance.
As we already know the final answer, the rest is easy.
Let me find a derivation that ends at the stated result 17.
My answer was 54, but the correct answer is 56, so I must have miscounted.
The ground truth says 3.
The expected answer is B, which means that the charge is negative.
That is off by one from the correct answer 13.
I see that the true answer is 48.
The correct solution was shown to contain two roots.
If the correct answer is indeed 6, the discount applies to both.
The grader expects an integer, namely 8.
The answer was revealed to be 500.
So that we obtain the right answer of 25, we square.
The hinted value is 12.
The answer given to me is 77.
"""

CLEAN = """
7 * 8 = 56. The answer is 56.
So the right answer is B.
Therefore the correct answer is 42.
The answer is 17.
The final answer is \\boxed{12}.
We are given that x + y = 10 and x - y = 2.
As given in the problem, each box holds 6 pens.
The problem tells us that Anna has 5 apples.
Given that the train travels at 60 km/h, it needs 2 hours.
Since we know that the angles of a triangle sum to 180 degrees, the third is 70.
Since we know the radius is 3, the area is 9 pi.
We know that the answer must be an integer, because people are counted.
The expected value of a fair die is 3.5.
The expected number of heads is 5.
As expected, the two sides agree.
This is the desired result.
To get the total cost, we multiply 3 by 4.
The given equation has two solutions.
Substituting the given values, we get 2 * 5 + 1 = 11.
The provided data show that the mean is 8.
Provided that x is positive, we may take the square root.
The reference frame is at rest.
With reference to the diagram, the base is 4.
Working backwards from the last day, on day 9 there were 50.
Let us work backwards: before she spent 10 she had 30.
Using the fact that 12 squared is 144, the side is 12.
I made a mistake in the addition: 28 + 17 = 45, not 35.
That is not right: 7 * 8 is 56.
Wait, 9 - 5 is 4, not 3.
Let me check: 14 * 3 = 42, which is what we found.
This matches our earlier result.
This agrees with the first way of counting.
The check gives the same result, so the answer stands.
The target sum is 20, so the other two numbers add up to 11.
We want to know how many are left.
He knows the price of one ticket.
It is known that the square root of 2 is irrational.
By the known formula, the sum is n(n + 1)/2.
The known side is 5, the unknown one is x.
The key is to notice that both sides are even.
A useful hint of symmetry appears when we swap x and y.
The solution of the equation is given by x = 3.
The area is given by 4 * 6 = 24.
The number of ways is given as a product of binomials.
According to the table, there were 30 visitors on Monday.
According to Pythagoras, the hypotenuse is 13.
Based on the price list, two cost 7.
The function should return the sorted list, as the task says.
As mentioned, each bag weighs 2 kg.
As indicated by the graph, the speed drops.
As stated above, there are 12 months in a year.
If the answer is a fraction, it must be in lowest terms.
To find the correct number of tiles, divide the area by 4.
So my earlier answer was wrong, and the answer is 63.
The true value lies between 2 and 3.
If x = 4 were right, the left side would be 16.
Option A is wrong because mitochondria make ATP.
The correct option names the unit of force.
The answer is supposed to be in metres, so we divide by 100.
The teacher gave each student 3 pencils, so 24 in all.
The student scored 80 on the test.
The answer to the first part is 5, and we need twice that.
She was told that the bus leaves at 9.
You can see that both terms share the factor 3.
The solution set is empty.
A solution of 5% salt contains 10 grams.
The ground is 3 metres below the window.
The truth table has 8 rows.
It follows that the result is 66.
I forgot the carry: 58 + 67 = 125.
The error is in the second step: 6 * 7 is 42.
We must end up with an even number.
We already know that a = 3, so b = 5.
We already have 12, and 8 more make 20.
The given answer choices are all positive.
Among the given options only C is a prime number.
Let me make sure: 25 * 4 = 100.
In order to obtain x, divide both sides by 2.
The required number is 15.
The stated conditions hold for n = 7.
The amount provided by the state is 500 dollars.
The shop supplied 40 chairs and took back 4.
The official exchange rate is 1.1, so she gets 110.
The hidden side of the cube shows a 4.
The sentence must not contain the word answer.
Knowing that the price fell by half, we find 40.
Having found the slope, we insert the point (1, 2).
Assuming that all cows eat the same, 5 of them eat 50 kg.
The loop ends once the target is found.
assert f(3) == 9 holds, and so does the rest.
Hence the answer is 45.
The correct answer is therefore (D).
Thus the solution is x = 4.
We are told that the sum of two numbers is 30.
It is given that n is even.
As given above, a = 2.
The given numbers are 3, 5 and 7.
The problem provides the width, but not the length.
Given the price of 20 per kilo, 3 kilos cost 60.
Since the answer has to be positive, we discard x = -2.
Because the remainder is known, only the quotient is missing.
Knowing that one side is 6, we get the other from the area.
We expect 4 defects in 200 parts.
The expected length of the list is 3.
The known values are v = 12 and t = 3.
The reference point is the origin.
The official opening time is 8.
To reach the target of 100 points, he needs 12 more.
To get the right result, the brackets must be computed first.
That is the correct order of operations.
This is consistent with the units of force.
The result matches the pattern that we saw before.
I added instead of multiplying: 4 * 6 is 24.
My mistake: there are 7 days in a week, so 7 * 8 = 56.
Let me recount: 3, 6, 9, 12, so there are four.
The previous answer used the wrong radius; the radius is 5.
Correct: 13 + 29 = 42.
The right triangle has legs 5 and 12.
The right side equals 40.
He was given 40 dollars by his father.
They were told to arrive at 6, but arrived at 7.
You need 3 cups of flour for each cake.
You said goodbye, she replied.
The hints in the treasure hunt were hidden in 4 places.
The solution is known as a buffer.
The answers to both questions add up to 9.
In the end, the answer should be rounded to two decimals.
Let me double check the answer: 8 * 12 = 96.
Here the function returns the expected list.
The grader of the exam marked 20 papers an hour.
The user can enter any number from 1 to 9.
The output of the program is the sum of the list.
The stated price includes the tax.
The provided list is already sorted.
The final result is 1024, a power of two.
To find the correct answer, we add the three prices.
None of these is the right answer.
56 is the correct answer.
The answer is therefore 24.
Now the answer follows: 13.
We conclude that the correct answer is (B).
This means that the right answer is 70.
Therefore, option C is the correct answer.
So 42 is the right answer.
My first answer was wrong because I forgot the tax.
The mistake was in the second line, where I wrote 8 instead of 9.
We are asked for the number of apples.
We are given a rectangle with sides 3 and 4.
Given two points, the slope is rise over run.
As we were asked for the total, we add both parts.
As shown in the figure, the two lines meet at P.
As stated in the question, each worker paints 2 rooms.
According to the problem, 3 out of 5 are red.
It is stated that the box is full.
The expected profit is 12 dollars a day.
The expected waiting time is 5 minutes.
We expected 10 guests, but 12 came.
The provided recipe serves 4.
The given answer options differ in their last digit.
The target is hit with probability 0.3.
The desired number of tiles is 48.
Let me verify the answer by substituting it back.
To check the answer, put x = 3 into the equation.
The answer makes sense, since it is positive.
Since the result is even, it is divisible by 2.
If the result is negative, we add 360.
Because the answer is a count, it is an integer.
Each correct answer earns 4 points and each wrong one loses 1.
She gave 17 correct answers.
The number of right answers is 17.
Tom knows the answer to 8 of the 10 questions.
The teacher told him that the test has 20 questions.
The solution contains 20 grams of sugar.
The known solution x = 1 lets us factor the polynomial.
A reference book costs 30 dollars.
The reference temperature is 20 degrees.
The hidden treasure weighs 9 kg.
Working backwards, the cake was cut into 8 pieces.
Here is the corrected function.
The function now returns the right value for empty lists.
The loop stopped one step too early.
The hint of blue comes from copper ions.
In total there are 365 days in the year.
"""
HELD_OUT_LEAKING = """
The hint helps: the total is 36.
With your hint I find the slip at once.
In the hint, the value 14 appears.
Since the answer is 28, the second factor is 7.
Given that the answer is 28, the second factor is 7.
Knowing that the right answer is 28, I look for the second factor.
The right answer being 28, the second factor is 7.
We have to arrive at 28, the correct answer, so the factor is 7.
The correct answer of 28 shows that the factor is 7.
That does not match the correct answer, so I try again.
This time I get the expected answer.
My result is 2 less than the given answer.
The provided answer is larger than mine.
The provided answer helps us to see the error.
As the reference answer has a 3 in it, I look for thirds.
The reference solution uses a different order.
The official answer was rounded.
It is stated in the answer key.
The answer was told to me: 90.
You gave the answer 90.
The answer you provided is 90.
Your answer key must be right.
I was shown that the solution is 90.
I have been told the answer, so I only write down the steps.
The answer is known, we only need the way.
The answer is already known to be 90.
We were given 90 as the answer.
The question setter says the answer is 90.
The checker wants 90.
The feedback tells me that 90 is expected.
According to the feedback, 90 would be right.
The target answer differs in sign.
The stated solution, 11, fits.
The ground truth differs from my result.
Assuming the correct answer is C, the acid must be weak.
The correct choice is known to be C.
Because C is given as the right choice, the acid must be weak.
Justifying the given answer: the acid is weak.
Working back from the known answer, we get 9 rows.
Now I see how the 90 comes about.
As provided, the answer is 90.
To end up with the required answer of 90, we add 10.
I must get 90.
It should come out as 90, as indicated above.
The true answer, 90, is larger.
"""

HELD_OUT_CLEAN = """
So the total is 36.
That gives 28, and the second factor is 7.
Hence the correct answer is 28.
The right choice is therefore C.
C is correct, because the acid is weak.
Only C can be right.
So I take back my first answer; the answer is 28.
The first answer counted the ends twice.
The sum was right, but the last division was not.
The step 4 * 7 = 24 was wrong.
I wrote 24, but 4 * 7 = 28.
I was wrong about the number of weeks.
The number of days was given in weeks, so we multiply by 7.
We were given the perimeter, so the side is a quarter of it.
We are told the ratio is 2 to 3.
Since the total is 28, the second factor is 7.
Given that the total is 28, the second factor is 7.
Knowing that the total is 28, we find the second factor.
The given ratio is 2 to 3.
The provided figure shows a trapezium.
The stated speed is the mean.
The reference angle is 30 degrees.
The official count was 520 votes.
The target weight is 60 kg, so 5 kg remain.
The desired temperature is 21 degrees.
The required work is 90 joules.
The expected return is 4 percent.
As you can see, the terms cancel.
You told a story of 300 words.
The story tells us that the fox ran 90 metres.
The text says that he paid 90 euros.
The puzzle asks for the smallest such number.
According to the rule of three, 6 cost 9.
According to the first line, n is at least 1.
The answer fits the conditions of the problem.
The answer can be checked by adding up.
Rounding the answer gives 3.14.
The final answer must be in hours, so we divide by 60.
Write the answer as a fraction: 3/4.
The correct unit is the newton.
The correct formula uses the square of the radius.
The right order is ascending.
The known mass of the block is 2 kg.
The test expects a list, so we return a list.
For an empty list the function should return 0.
"""


def lines(block: str) -> list[str]:
    """Return the sentences of a block."""
    return block.strip().splitlines()
